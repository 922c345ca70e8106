"""Letters that are all of one width, so that layouts can be tested without a screen."""

from __future__ import annotations


class EvenLetters:
    """Every letter is six pixels wide, every line fourteen high."""

    line = 14.0

    def width(self, text: str) -> float:
        return 6.0 * len(text)

    def shortened(self, text: str, room: float) -> str:
        if self.width(text) <= room:
            return text
        return text[: max(0, int(room // 6) - 1)] + "…"
