"""How long something takes already: seconds behind the text that says what is waited for."""

from __future__ import annotations

from dqngui.texts import Text, say

SHOWN_AFTER_S = 2


class Elapsed:
    """Measures how long the same text is shown. Short waits show no seconds."""

    def __init__(self) -> None:
        self._text: Text | str = ""
        self._since, self._seconds = 0.0, 0

    def follow(self, text: Text | str, now: float) -> bool:
        """Note what is waited for at a time (seconds of a monotonic clock); returns whether other seconds are to be
        shown. An empty text: nothing is waited for.
        """
        if text != self._text:
            self._text, self._since = text, now
        before, self._seconds = self._seconds, int(now - self._since) if text else 0
        return self._seconds != before and self._seconds >= SHOWN_AFTER_S

    def with_seconds(self, text: Text | str) -> Text | str:
        """The text, with its seconds if it is that of the last `follow` and takes long."""
        if not text or text != self._text or self._seconds < SHOWN_AFTER_S:
            return text
        return say("player.seconds", what=text, seconds=self._seconds)
