"""Exports of an episode as a film or as arrays. Not the files of a run."""
