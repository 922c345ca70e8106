"""The experiment's form and the live knobs: an editor for each kind of setting. Not the settings themselves."""
