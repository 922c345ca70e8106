"""The playhead: the position in an episode, which time moves on. It has no clock."""

from __future__ import annotations

from dqngui.lab.playback.episode import PlayedEpisode

SLOWEST, FASTEST = 0.1, 20.0
HOLD_S, SHORTEST_HOLD_S = 0.8, 0.2
LEAST_AHEAD, MOST_AHEAD = 32, 256


class Playhead:
    """A position in an episode that moves on at `speed` times the environment's own pace.

    Attributes:
        position: steps since the episode's start, with fractions.
        speed: 0.1 … 20; 1 is the environment's own pace.
        fps: steps a second at speed 1.
        paused: whether time does not move it.
    """

    def __init__(self) -> None:
        self.position = 0.0
        self.speed = 1.0
        self.fps = 30.0
        self.paused = False
        self._held = 0.0

    @property
    def t(self) -> int:
        """The step that should be shown."""
        return int(self.position)

    @property
    def ahead(self) -> int:
        """Number of steps after this one that should be known: half a second of playing."""
        return min(max(round(0.5 * self.speed * self.fps), LEAST_AHEAD), MOST_AHEAD)

    def seek(self, t: int) -> None:
        """Go to a step."""
        self.position, self._held = float(max(0, t)), 0.0

    def advance(self, elapsed: float, playing: PlayedEpisode) -> None:
        """Move by `elapsed` seconds, but not past the known steps."""
        last = playing.length if playing.ended else playing.length - 1
        if self.position < last:
            self.position = min(self.position + elapsed * self.speed * self.fps, float(last))

    def hold(self, elapsed: float) -> bool:
        """Wait at the end of the episode; True after long enough, which is less for short episodes and high speeds."""
        self._held += elapsed
        played = self.position / self.fps
        return self._held >= min(max(min(HOLD_S, played / 2) / self.speed, SHORTEST_HOLD_S), 2.0)
