"""The form of the experiment and the live knobs: an editor for each kind of setting. No definition of settings."""
