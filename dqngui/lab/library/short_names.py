"""Names of runs shortened to the room there is, so that what tells the runs apart stays."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from dqngui.listing.run_names import BETWEEN, RunName

Width = Callable[[str], float]
"""The width of a text in pixels."""
Part = tuple[int, int]
"""(start, end) of a part of a title."""
ELLIPSIS = "…"
SHORTEST_TITLE = "Aa…"  # a title is left out rather than made shorter than this
SHORT_WORD = 1  # letters that always stay of the word of a number
_SEPARATORS = " ,·-_"
_WORD = r"[^\W\d_]+"
_NUMBER = r"[-+\u2212]?\d+(?:[.,:/-]\d+)*(?:e[-+]?\d+)?"
_PIECE = re.compile(
    rf"(?:{_WORD}(?:-{_WORD})*[ =:]|{_WORD}[_-]?)?{_NUMBER}(?:{_WORD}(?!\w)|[ _-]{_WORD}(?!\w|[=:]\d| \d))?"
    rf"|{_WORD}(?:-{_WORD})*(?!\w)|[^\W_]+",
    re.IGNORECASE,
)


def shortened(name: RunName, width: Width, room: float, kept: Sequence[Part] = ()) -> str:
    """A name that fits into `room` pixels, if a few letters do.

    The title gives way first, because what follows it tells runs of one title apart; of the title its parts `kept` stay
    longest (see `distinct_parts`). Then the words of numbers become shorter (`b… 64 · s… 3`), then the first parts
    are left out. No number is shown without the word that says what it is, and none is cut.
    """
    whole = str(name)
    if width(whole) <= room:
        return whole
    parts = (*name.settings, *name.others)
    if not parts:
        return _short_title(name.title, width, room, kept)
    rest = BETWEEN.join(parts)
    left = room - width(BETWEEN + rest)
    if left >= width(SHORTEST_TITLE):
        return _short_title(name.title, width, left, kept) + BETWEEN + rest
    return _short_parts(parts, width, room)


def distinct_parts(titles: Iterable[str]) -> dict[str, tuple[Part, ...]]:
    """For each title its parts that tell it from the other titles, those first that tell it from the most similar ones.

    A part is a word, or a number with the word before it and its unit: `seed 3`, `lr=0.001`, `30 steps`.
    """
    ordered = sorted(set(titles))
    branches: dict[str, set[int]] = {title: set() for title in ordered}  # lengths of the beginnings shared with others
    for each in (ordered, ordered[::-1]):
        lengths: list[int] = []
        for before, title in pairwise(each):
            same = _shared_start(before, title)
            lengths = [length for length in lengths if length < same] + [same]
            branches[title].update(lengths)
    found = {}
    for title, lengths_of in branches.items():
        pieces = [match.span() for match in _PIECE.finditer(title)]
        starts = (_piece_at(pieces, length, len(title)) for length in sorted(lengths_of, reverse=True))
        found[title] = tuple(dict.fromkeys(starts))
    return found


def _piece_at(pieces: Sequence[Part], place: int, end: int) -> Part:
    """The first piece that ends after a place of a title; the last one if the place is the end of the title."""
    return next((piece for piece in pieces if place < piece[1]), pieces[-1] if pieces else (0, end))


def _shared_start(a: str, b: str) -> int:
    for number, (one, other) in enumerate(zip(a, b, strict=False)):
        if one != other:
            return number
    return min(len(a), len(b))


def _short_title(title: str, width: Width, room: float, kept: Sequence[Part]) -> str:
    if width(title) <= room:
        return title
    chosen: list[Part] = []
    for part in kept:
        if width(_of_parts(title, [*chosen, part])) <= room:
            chosen.append(part)
    if kept and not chosen:
        return _short_parts([title[slice(*kept[0])]], width, room)
    pieces = [match.span() for match in _PIECE.finditer(title)]

    def cut(letters: int) -> str:
        inside = next((start for start, end in pieces if start < letters < end and _has_number(title[start:end])), None)
        return _of_parts(title, [*chosen, (0, letters if inside is None else inside)])

    return _longest(cut, len(title) - 1, width, room)


def _of_parts(title: str, parts: Iterable[Part]) -> str:
    """These parts of a title, with an ellipsis for each gap."""
    text, done = "", 0
    for start, end in sorted(parts):
        between = title[done:start]
        if between.strip(_SEPARATORS):
            text = text.rstrip(_SEPARATORS) + ELLIPSIS
        elif len(between) < 2:
            text += between
        else:
            text = f"{text.rstrip(_SEPARATORS)} "
        text += title[max(start, done) : max(end, done)]
        done = max(end, done)
    return text if done >= len(title) else text.rstrip(_SEPARATORS) + ELLIPSIS


def _short_parts(parts: Sequence[str], width: Width, room: float) -> str:
    """Parts of a name with shorter words; without room for all, the last ones."""
    longest = max(len(part) for part in parts)
    for first in range(len(parts)):
        head = ELLIPSIS if first else ""
        for letters in range(longest, SHORT_WORD - 1, -1):
            text = head + BETWEEN.join(_short_word(part, letters) for part in parts[first:])
            if width(text) <= room:
                return text
    last = parts[-1]
    return ELLIPSIS if _has_number(last) else _without_middle(last, width, room)


def _short_word(part: str, letters: int) -> str:
    """A part of a name with at most so many letters of its number's word or unit: `b… 64` for `batch size 64`."""
    words = part.split(" ")
    number = next((at for at, word in enumerate(words) if _has_number(word)), len(words))
    if 0 < number < len(words):
        return " ".join([_cut_word(" ".join(words[:number]), letters), *words[number:]])
    if number == 0 and len(words) > 1 and not _has_number(unit := " ".join(words[1:])):
        return f"{words[0]} {_cut_word(unit, letters)}"
    return part


def _cut_word(word: str, letters: int) -> str:
    return word if len(word) <= letters + 1 else word[:letters].rstrip() + ELLIPSIS


def _has_number(text: str) -> bool:
    return any(letter.isdigit() for letter in text)


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
