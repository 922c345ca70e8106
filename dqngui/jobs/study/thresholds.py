"""The thresholds from which on a map of weights counts as an explanation. Imports no torch, as the window uses them."""

from __future__ import annotations

MIN_DIFFERENCE = 0.1
"""Least difference between removing the top places and random ones, in units of the action values' spread."""
MIN_CONCENTRATION = 0.2
"""Least concentration of a map that points at something. A map that is nearly even, as random weights give it, points
at nothing: even if its largest place happens to matter, it explains nothing.
"""
