"""The panels of the window: each draws one aspect of a run."""
