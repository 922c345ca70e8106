"""The queue of the folder of runs in the window, the worker that it starts, and drafts of sweeps."""
