"""Runs on disk: the folder, its log, its episodes, its checkpoints and the state it resumes from."""
