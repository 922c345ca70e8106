"""A run on disk: folder, log, episodes, checkpoints and the state from which it resumes. Not how it is trained."""
