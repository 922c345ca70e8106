"""Algorithms: acting, replay and rollouts, losses, updates, evaluation. No networks, and no files of a run."""
