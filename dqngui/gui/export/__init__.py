"""Films and arrays of an episode, written to files."""
