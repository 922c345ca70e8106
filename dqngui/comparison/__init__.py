"""Comparisons of stored runs: what a run achieved, which settings differ, figures over seeds. No torch, no Qt."""
