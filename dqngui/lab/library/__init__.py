"""The folder of stored runs: summaries, curves to compare, parents of forks, the trash. Not the run that is open."""
