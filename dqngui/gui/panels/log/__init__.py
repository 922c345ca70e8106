"""The Log card: what happened in a run, in words."""
