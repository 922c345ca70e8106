"""What a running job shows on the terminal: a progress line, or one JSON event a line."""

from __future__ import annotations

import sys
import time
from typing import Protocol

from dqngui.messages import (
    EpisodeEnded,
    Evaluated,
    Event,
    Forked,
    KnobRefused,
    Learned,
    RunResumed,
    Warned,
    Weights,
    encode,
)

BAR_WIDTH = 20


class Output(Protocol):
    """Takes events as they come; `close` ends the display."""

    def take(self, event: Event) -> None: ...

    def close(self) -> None: ...


class JsonLines:
    """One event a line on standard output. Raises BrokenPipeError when the reader has gone."""

    def take(self, event: Event) -> None:
        if isinstance(event, Weights):
            return
        write_json_line(encode(event))

    def close(self) -> None:
        sys.stdout.flush()


def write_json_line(line: bytes) -> None:
    """Write one line at once, so that a reader follows live."""
    sys.stdout.write(line.decode() + "\n")
    sys.stdout.flush()


class ProgressLine:
    """Progress, speed, time left, last return and evaluations on standard error.

    On a terminal one line is redrawn ten times a second; into a file a line is written for each evaluation.
    """

    def __init__(self, total_steps: int) -> None:
        self._total = total_steps
        self._step = 0
        self._speed = 0.0
        self._return: float | None = None
        self._evaluation: float | None = None
        self._best: float | None = None
        self._live = sys.stderr.isatty()
        self._drawn_at = 0.0

    def take(self, event: Event) -> None:
        self._step = max(self._step, event.step)
        match event:
            case EpisodeEnded():
                self._return = event.ret
            case Learned():
                self._speed = event.steps_per_second
            case Evaluated():
                self._evaluation = event.mean
                if event.best:
                    self._best = event.judged
                if not self._live:
                    print(self.text(), file=sys.stderr)
            case Warned():
                self._say(event.words)
            case KnobRefused():
                self._say(f"`{event.field}` = {event.value!r} was refused: {event.words}")
            case Forked():
                changes = f" with {'; '.join(event.changes_in_words)}" if event.changes else ""
                self._say(f"Forked from {event.parent} at step {event.step:,}{changes}.")
                if event.fresh:
                    self._say(f"Begins anew: {', '.join(event.fresh)}.")
            case RunResumed():
                lost = (
                    f", {event.lost_steps:,} steps behind its last checkpoint are made again"
                    if event.lost_steps
                    else ""
                )
                self._say(f"The run goes on from step {event.step:,}{lost}.")
        if self._live and time.monotonic() - self._drawn_at > 0.1:
            self._draw()

    def text(self) -> str:
        """The line without colours or cursor movements."""
        share = min(1.0, self._step / max(1, self._total))
        full = round(share * BAR_WIDTH)
        parts = [f"{self._step:,} / {self._total:,} {'█' * full}{'░' * (BAR_WIDTH - full)} {share:.0%}"]
        if self._speed > 0:
            left = round((self._total - self._step) / self._speed)
            parts.append(f"{self._speed:,.0f} steps/s  {left // 60}:{left % 60:02d} left")
        if self._return is not None:
            parts.append(f"return {self._return:g}")
        if self._evaluation is not None:
            best = f" (best {self._best:.4g})" if self._best is not None else ""
            parts.append(f"evaluated {self._evaluation:.4g}{best}")
        return "  ".join(parts)

    def close(self) -> None:
        if self._live:
            self._draw()
            print(file=sys.stderr)

    def _draw(self) -> None:
        print(f"\r\033[K{self.text()}", end="", file=sys.stderr, flush=True)
        self._drawn_at = time.monotonic()

    def _say(self, text: str) -> None:
        print(f"\r\033[K{text}" if self._live else text, file=sys.stderr)


def table(rows: list[list[str]]) -> str:
    """Rows of equal length as aligned text; the first column to the left, numbers to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    aligned = (
        "  ".join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in aligned)
