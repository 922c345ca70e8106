"""Names of runs shortened to the room there is, so that what tells the runs apart stays."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dqngui.lab.library.run_names import BETWEEN, RunName

Width = Callable[[str], float]
"""The width of a text in pixels."""
Part = tuple[int, int]
ELLIPSIS = "…"
SHORTEST_TITLE = "Aa…"  # a title is left out rather than made shorter than this


def shortened(name: RunName, width: Width, room: float, kept: Part = (0, 0)) -> str:
    """A name that fits into `room` pixels, if a few letters do.

    The title gives way first, because what follows it tells runs of one title apart: first its end, then its middle, so
    that its part `kept` stays (see `distinct_parts`), then all of it. Then numbers lose their names (`1e-3 · 0` for
    `lr 1e-3 · seed 0`), and only then the rest loses its middle.
    """
    whole = str(name)
    if width(whole) <= room:
        return whole
    rest = BETWEEN.join((*name.settings, *name.others))
    if not rest:
        return _short_title(name.title, width, room, kept)
    left = room - width(BETWEEN + rest)
    if left >= width(SHORTEST_TITLE):
        return _short_title(name.title, width, left, kept) + BETWEEN + rest
    if width(rest) <= room:
        return rest
    values = BETWEEN.join(map(_value_of, (*name.settings, *name.others)))
    return values if width(values) <= room else _without_middle(values, width, room)


def distinct_parts(titles: Iterable[str]) -> dict[str, Part]:
    """For each title the word, as (start, end), in which it first differs from the title that is most like it."""
    ordered = sorted(set(titles))
    parts: dict[str, Part] = {}
    for number, title in enumerate(ordered):
        beside = ordered[max(0, number - 1) : number] + ordered[number + 1 : number + 2]
        same = max((_shared_start(title, other) for other in beside), default=0)
        start = title.rfind(" ", 0, same) + 1
        end = title.find(" ", max(same, start + 1))
        parts[title] = (start, len(title) if end < 0 else end) if same else (0, 0)
    return parts


def _value_of(part: str) -> str:
    """The number of `seed 3` or `lr 1e-3`; all of another part."""
    last = part.rsplit(" ", 1)[-1]
    return last if any(letter.isdigit() for letter in last) else part


def _shared_start(a: str, b: str) -> int:
    for number, (one, other) in enumerate(zip(a, b, strict=False)):
        if one != other:
            return number
    return min(len(a), len(b))


def _short_title(title: str, width: Width, room: float, kept: Part) -> str:
    if width(title) <= room:
        return title
    start, end = kept
    cut = _longest(lambda letters: title[:letters].rstrip(" ,") + ELLIPSIS, len(title) - 1, width, room)
    if len(cut) > end or end == 0:
        return cut
    word = title[start:end] + (ELLIPSIS if end < len(title) else "")
    if width(ELLIPSIS + word) > room:
        return _longest(lambda letters: ELLIPSIS + title[start : start + letters], end - start, width, room)
    return _longest(lambda letters: title[:letters].rstrip(" ,") + ELLIPSIS + word, start, width, room)


def _without_middle(text: str, width: Width, room: float) -> str:
    def cut(letters: int) -> str:
        return text[: letters - letters // 2] + ELLIPSIS + text[len(text) - letters // 2 :]

    return _longest(cut, len(text) - 1, width, room)


def _longest(made: Callable[[int], str], most: int, width: Width, room: float) -> str:
    """The text of the most letters, 0 to `most`, that fits; of none if even that does not fit."""
    low, high = 0, max(0, most)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width(made(middle)) <= room else (low, middle - 1)
    return made(low)
