"""The folder of stored runs: summaries, curves to compare, parents of forks, the trash. Not the open run."""
