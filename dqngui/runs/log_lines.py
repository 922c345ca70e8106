"""What the lines of a run's log may hold, and how they are read: what is damaged is passed over and counted.

A disk that failed leaves zeros in the middle of a file, and a stranger's log may hold anything: events that only a
running job may send, changes of settings that do not exist, steps beyond what numbers can count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Union

import msgspec

from dqngui.bounded import LARGEST, MEGABYTE, MOST_NESTED, exists, open_regular, small_numbers
from dqngui.config import ConfigError
from dqngui.messages import Event, Forked, KnobChanged, decode_event
from dqngui.settings import field_at, knob_value
from dqngui.texts import Text, reason_of, say

MOST_LOG = 4096 * MEGABYTE
LONGEST_LINE = 4 * MEGABYTE
OnDamage = Callable[[int, Text | str], None]
"""Takes the number of a damaged line, from 1 in the lines that were given, and the reason."""

LOGGED = tuple(kind for kind in Event.__subclasses__() if kind.logged)
"""The events that the recorder writes: a log holds no others."""
if TYPE_CHECKING:
    _LOGGED = Event
else:
    _LOGGED = Union[LOGGED]  # noqa: UP007
_decoder = msgspec.json.Decoder(_LOGGED)
# Lines without any of these are not empty, and have small numbers, counts that are not negative, and no settings.
_LOOK_CLOSER = re.compile(rb'(?<![.\d])\d{16,}|[eE]\+?\d{3}|:\s*-\d+\s*[,}]|\\u|"KnobChanged"|"Forked"|\A\n|\n\n')


def logged_event(line: bytes) -> Event:
    """The event of one line. Raises ValueError with the reason if a log cannot hold it."""
    try:
        event = decode_event(line.strip(b"\0"))
    except RecursionError:
        raise ConfigError("data.too_deep", most=MOST_NESTED) from None
    if not isinstance(event, LOGGED):
        raise ConfigError("log.not_logged", event=type(event).__name__)
    if not 0 <= event.step <= LARGEST or not small_numbers(event) or _has_negative_count(event):
        raise ConfigError("log.number")
    if isinstance(event, KnobChanged):
        if field_at(event.field).live:
            _check_knobs({event.field: event.old})
            _check_knobs({event.field: event.new})
        elif not all(isinstance(value, str | int | float | None) for value in (event.old, event.new)):
            raise ConfigError("log.number")  # one that is not live is refused where it is replayed
    elif isinstance(event, Forked):
        _check_knobs(event.manual)
    return event


def _check_knobs(values: Mapping[str, Any]) -> None:
    """Raises ConfigError for a setting that is not live, or has another value than it can have."""
    for path, value in values.items():
        if value is not None:
            knob_value(path, value)


_COUNTS = ("length", "env", "episode", "updates", "reported")


def _has_negative_count(event: Event) -> bool:
    return any(isinstance(count := getattr(event, name, 0), int) and count < 0 for name in _COUNTS)


def events_in(lines: bytes, on_damage: OnDamage) -> list[Event]:
    """The events of whole lines; `on_damage` is called for each that is none."""
    if _LOOK_CLOSER.search(lines) is None:
        try:
            found: list[Event] = _decoder.decode_lines(lines)
            return found
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass  # a NaN, or damage
    events: list[Event] = []
    for number, line in enumerate(lines.split(b"\n")[:-1], 1):
        try:
            events.append(logged_event(line))
        except ValueError as error:
            on_damage(number, reason_of(error))
    return events


def whole_lines(log: BinaryIO, most: int) -> tuple[bytes, bool]:
    """The next lines, about `most` bytes, and whether one after them was passed over because it is too long.

    What comes after the last line feed is left out.
    """
    data = log.read(most)
    if not data or data.endswith(b"\n"):
        return data, False
    start = data.rfind(b"\n") + 1
    data += log.readline(LONGEST_LINE - (len(data) - start))
    if data.endswith(b"\n"):
        return data, False
    return data[:start], len(data) - start >= LONGEST_LINE and _skip_line(log)


def _skip_line(log: BinaryIO) -> bool:
    """Read past the end of the present line; whether there is one."""
    while block := log.read(MEGABYTE):
        end = block.find(b"\n")
        if end >= 0:
            log.seek(end + 1 - len(block), 1)
            return True
    return False


def too_long() -> Text:
    """Why a line was passed over that is longer than any event."""
    return say("log.too_long", most=LONGEST_LINE // MEGABYTE)


def logged_events(path: Path, on_damage: Callable[[Text], None] | None) -> Iterator[Event]:
    """The events of a log in order, none if there is no file.

    Args:
        on_damage: takes the reason of each damaged line; None: the first one is an error.

    Raises ConfigError, OSError.
    """
    if not exists(path):
        return
    before = 0

    def damaged(number: int, problem: Text | str) -> None:
        text = say("log.damaged_line", path=path, line=before + number, problem=problem)
        if on_damage is None:
            raise ConfigError(text)
        on_damage(text)

    with open_regular(path, MOST_LOG) as log:
        while True:
            lines, skipped = whole_lines(log, MEGABYTE)
            if not lines and not skipped:
                return
            yield from events_in(lines, damaged)
            before += lines.count(b"\n")
            if skipped:
                damaged(1, too_long())
                before += 1


def ends_a_line(log: Path, length: int) -> bool:
    """Whether a line of the log ends at this length. A block that the disk lost, full of zeros, may end there too."""
    if length == 0:
        return True
    with open_regular(log, MOST_LOG) as file:
        file.seek(length - 1)
        return file.read(1) in (b"\n", b"\0")
