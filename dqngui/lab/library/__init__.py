"""The folder of stored runs: summaries, curves for comparison, lineage of forks, the trash. Not the run that is open."""
