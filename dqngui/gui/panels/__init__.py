"""One folder for each card of the window, or for a few that share code. No card imports another one."""
