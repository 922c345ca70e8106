"""The thresholds above which a map of weights counts as an explanation. Imports no torch: the window reads it."""

from __future__ import annotations

MIN_DIFFERENCE = 0.1
"""Least difference between removing the top places and random ones, in units of the action values' spread."""
MIN_CONCENTRATION = 0.2
"""Least concentration of a map that counts as an explanation. A nearly even map, as random weights give it, does not
select any place: it explains nothing, even if its largest place happens to matter.
"""
