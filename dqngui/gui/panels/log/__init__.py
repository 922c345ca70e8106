"""The Log card: the events of a run as text. Not the log file."""
