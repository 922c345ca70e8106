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
"""Least concentration of a map that counts as an explanation, unless its places weigh MIN_MULTIPLE times their even
share. A nearly even map does not show which places matter, even if its largest ones do.
"""
MIN_MULTIPLE = 2.0
"""Least weight of the largest places, as a multiple of their even share. Among many places, a weight that is plain to
see is a small part of all.
"""
MIN_GAP = 0.5
"""The choice matters at a step if the two best action values differ by at least this share of the standard deviation of
all action values along the episodes (of PPO: of the probabilities).
"""
MIN_MARGIN = 0.1
"""Least difference of a probe's score to guessing, the observation, the control task and untrained networks, as a share
of the way from guessing to perfect.
"""
PERFECT = 0.94
"""The probe must reach at most this share of the way from guessing to perfect, even if little is left above the others.
"""
MIN_MOVED = 0.1
"""Least share of actions that must follow when the memory is moved to another value of a fact, beyond random moves,
before the fact counts as used.
"""
MIN_PLAYED = 0.1
"""Least return that must be lost by playing with the moved memory, beyond random moves, as a share of what the agent
achieves beyond random actions.
"""
BASE_NOISE = 0.05
"""Noise added before a probe reads: standard deviation, as a share of the root mean square of the whole state."""
MIN_EPISODES = 6
"""Smallest number of measured episodes: with fewer not even a sign that is the same in all of them is significant."""
