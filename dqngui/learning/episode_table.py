"""The table of the episodes that a replay holds, from which episodes are drawn with equal probabilities."""

from __future__ import annotations

import numpy as np

from dqngui.learning.windows import Steps


class EpisodeTable:
    """First positions of the episodes of each environment of which rows are stored, the oldest first.

    Args:
        rows: rows of one environment's ring; an episode that has ended takes at least two of them.

    Attributes:
        slots: largest number of episodes of one environment.
    """

    def __init__(self, num_envs: int, rows: int) -> None:
        self.slots = rows // 2 + 3
        self._begins = np.zeros((num_envs, self.slots), dtype=np.int64)
        self._first = np.zeros(num_envs, dtype=np.int64)  # number of the oldest episode that is stored
        self._running = np.zeros(num_envs, dtype=np.int64)  # number of the episode that runs
        self._envs = np.arange(num_envs)

    @property
    def most(self) -> int:
        """The largest number of episodes that an environment has, the running one included."""
        return int((self._running - self._first).max()) + 1

    def begin(self, env: int, start: int, oldest: int) -> None:
        """Add the episode that begins at position `start`; rows before `oldest` are no longer stored."""
        running = int(self._running[env]) + 1
        self._begins[env, running % self.slots] = start
        self._running[env] = running
        first = int(self._first[env])
        while first < running and self._begins[env, (first + 1) % self.slots] <= oldest:
            first += 1
        self._first[env] = first

    def forget(self, oldest: Steps) -> None:
        """Remove the episodes of which no row is stored, if those before `oldest` (N,) are overwritten."""
        while True:
            second = self._begins[self._envs, (self._first + 1) % self.slots]
            gone = (self._first < self._running) & (second <= oldest)
            if not gone.any():
                return
            self._first += gone

    def episodes(self, env: Steps, index: Steps) -> tuple[Steps, Steps]:
        """First and last position of the episodes with these indices, the oldest of each environment being 0.

        The last position of a running episode is −1. Where there is no such episode, both are 0.
        """
        number = self._first[env] + index
        start, after = (self._begins[env, n % self.slots] for n in (number, number + 1))
        running = self._running[env]
        last = np.where(number < running, after - 1, np.where(number == running, -1, 0))
        return np.where(number <= running, start, 0), last

    def rebuild(self, env: int, starts: Steps) -> None:
        """Replace an environment's episodes by those that begin at these positions, oldest first."""
        self._first[env], self._running[env] = 0, len(starts) - 1
        self._begins[env, : len(starts)] = starts
