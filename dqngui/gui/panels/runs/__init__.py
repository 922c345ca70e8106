"""The Runs card: the folder of runs as a table."""
