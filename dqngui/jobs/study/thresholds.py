"""The thresholds above which a map of weights counts as an explanation. Imports no torch: the window reads it."""

from __future__ import annotations

MIN_STAKE = 0.1
"""Least stake: the advantage of the chosen action where the choice matters, in units of the action values' spread. That
alone any network may reach, as its spread is its own; so another action must also lose return, with an interval above
zero. Values that were never learned say nothing of returns, so that there another action gains as often as it loses.
"""
MIN_DIFFERENCE = 0.1
"""Least difference between removing the top places and random ones, as a share of what is at stake."""
MIN_LOST = 0.1
"""Least return that is lost by removing the top places and not by random ones, as a share of what another action loses.
"""
MIN_CONCENTRATION = 0.2
"""Least concentration of a map that counts as an explanation. A nearly even map, as random weights give it, does not
select any place: it explains nothing, even if its largest place happens to matter.
"""
MIN_GAP = 0.5
"""The choice matters at a step if the two best action values differ by at least this share of the standard deviation of
all action values along the episodes (of PPO: of the probabilities).
"""
MIN_MARGIN = {"accuracy": 0.05, "R²": 0.1}
"""Least difference of a probe's score to guessing, the observation, the control task and untrained networks."""
MIN_MOVED = 0.1
"""Least share of actions that must follow when the memory is moved to another value of a fact, beyond random moves and
untrained networks, before the fact counts as used.
"""
BASE_NOISE = 0.05
"""Noise added before a probe reads: standard deviation, as a share of the root mean square of the whole state."""
MIN_EPISODES = 6
"""Smallest number of measured episodes: with fewer not even a sign that is the same in all of them is significant."""
