"""Many runs: the queue of a folder of runs, the worker that trains it, sweeps over settings. Neither Qt nor torch."""
