"""What a running job shows on the terminal: a progress line, or one JSON event a line."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TextIO

import msgspec

from dqngui.commands.console import holds_utf8
from dqngui.messages import (
    Advanced,
    EpisodeEnded,
    Evaluated,
    Event,
    Forked,
    KnobRefused,
    Learned,
    Noted,
    RunResumed,
    Warned,
    Weights,
    encode,
)
from dqngui.texts import Text, say, words
from dqngui.texts.numbers import progress
from dqngui.texts.plain import plain_line

BAR_WIDTH = 20


class Output(Protocol):
    """Shows events as they come; `close` ends the display."""

    def take(self, event: Event) -> None: ...

    def close(self) -> None: ...


_stream: TextIO | None = None  # where the JSON lines go, if standard output is ours alone


@contextmanager
def own_standard_output() -> Iterator[None]:
    """While the block runs, only `write_json_line` writes to standard output.

    What environments and their libraries print goes to standard error, also what code in C prints.
    """
    global _stream
    shown, before = sys.stdout, _stream
    with contextlib.ExitStack() as ends:
        _stream = shown
        ends.callback(lambda: _forget(before))
        if _is_standard_output(shown):
            shown.flush()
            own = os.dup(1)
            os.dup2(2, 1)
            _stream = open(own, "w", encoding=shown.encoding, errors=shown.errors, closefd=False)  # noqa: SIM115
            ends.callback(os.close, own)
            ends.callback(os.dup2, own, 1)
        ends.enter_context(contextlib.redirect_stdout(sys.stderr))
        yield
        _stream.flush()


def _forget(before: TextIO | None) -> None:
    global _stream
    _stream = before


def _is_standard_output(stream: Any) -> bool:
    """Whether a stream writes to what descriptor 1 stands for."""
    try:
        return os.path.sameopenfile(stream.fileno(), 1)
    except (OSError, ValueError, AttributeError):
        return False


class JsonLines:
    """One event a line on standard output. Raises BrokenPipeError when the reader has gone."""

    def take(self, event: Event) -> None:
        if isinstance(event, (Weights, Advanced)):
            return
        write_json_line(encode(in_words(event)))

    def close(self) -> None:
        (_stream or sys.stdout).flush()


def in_words(event: Event) -> Event:
    """The same event with each Text as its sentence, because scripts that read the JSON lines expect strings."""
    said: dict[str, Any] = {}
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if isinstance(value, Text):
            said[name] = words(value)
        elif isinstance(value, tuple) and any(isinstance(each, Text) for each in value):
            said[name] = tuple(words(each) if isinstance(each, Text) else each for each in value)
    return msgspec.structs.replace(event, **said) if said else event


_JSON_HARMFUL = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # JSON need not escape them


def write_json_line(line: bytes) -> None:
    """Write one line at once, so that a reader follows live.

    Where standard output is not UTF-8, other signs than ASCII are written as JSON escapes: nothing is lost.
    """
    stream = _stream or sys.stdout
    text = _JSON_HARMFUL.sub(lambda found: f"\\u{ord(found.group()):04x}", line.decode())
    stream.write((text if text.isascii() or holds_utf8(stream) else _escaped(text)) + "\n")
    stream.flush()


def _escaped(text: str) -> str:
    """JSON in ASCII; signs beyond it are inside strings only."""
    units = text.encode("utf-16-be")
    pairs = (int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2))
    return "".join(chr(unit) if unit < 128 else f"\\u{unit:04x}" for unit in pairs)


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
        self._test: float | None = None  # of the kept checkpoint, on fresh episodes
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
                    self._best = event.ranking_score
                    self._test = event.ranking_score if event.reported else None
                if not self._live:
                    print(self.text(), file=sys.stderr)
            case Warned() | Noted():
                self._say(event.text)
            case KnobRefused():
                self._say(say("shown.refused", field=event.field, value=repr(event.value), reason=event.reason))
            case Forked():
                changes = "; ".join(event.changes_in_words)
                if changes:
                    self._say(say("shown.forked_with", parent=event.parent, step=event.step, changes=changes))
                else:
                    self._say(say("shown.forked", parent=event.parent, step=event.step))
                if event.fresh:
                    self._say(say("shown.fresh", parts=event.fresh))
            case RunResumed() if event.lost_steps:
                self._say(say("shown.resumed_again", step=event.step, lost=event.lost_steps))
            case RunResumed():
                self._say(say("shown.resumed", step=event.step))
        if self._live and time.monotonic() - self._drawn_at > 0.1:
            self._draw()

    def text(self) -> str:
        """The line without colours or cursor movements."""
        share = min(1.0, self._step / max(1, self._total))
        full = round(share * BAR_WIDTH)
        parts = [f"{progress(self._step, self._total)} {'█' * full}{'░' * (BAR_WIDTH - full)} {share:.0%}"]
        if self._speed > 0:
            left = round((self._total - self._step) / self._speed)
            parts.append(words(say("shown.left", speed=self._speed, minutes=left // 60, seconds=left % 60)))
        if self._return is not None:
            parts.append(words(say("shown.return", value=self._return)))
        if self._evaluation is not None and self._test is not None:
            parts.append(words(say("shown.evaluated_tested", mean=self._evaluation, test=self._test)))
        elif self._evaluation is not None and self._best is not None:
            parts.append(words(say("shown.evaluated_best", mean=self._evaluation, best=self._best)))
        elif self._evaluation is not None:
            parts.append(words(say("shown.evaluated", mean=self._evaluation)))
        return "  ".join(parts)

    def close(self) -> None:
        if self._live:
            self._draw()
            print(file=sys.stderr)

    def _draw(self) -> None:
        print(f"\r\033[K{self.text()}", end="", file=sys.stderr, flush=True)
        self._drawn_at = time.monotonic()

    def _say(self, text: Text | str) -> None:
        print(f"\r\033[K{words(text)}" if self._live else words(text), file=sys.stderr)


def table(rows: list[list[str]]) -> str:
    """Rows of equal length as aligned text; the first column to the left, numbers to the right."""
    rows = [[plain_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    aligned = (
        "  ".join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in aligned)
