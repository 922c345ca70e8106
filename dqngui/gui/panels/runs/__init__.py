"""The Runs card: the folder of runs as a table. Not the reading of the folder."""
