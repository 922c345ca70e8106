"""The Log card: what happened in a run, in words. Not the log file."""
