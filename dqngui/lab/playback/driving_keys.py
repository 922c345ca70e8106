"""The keys for driving: derived from the names of the actions; digits work in every task."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt

Key = Qt.Key

_DIRECTION_KEYS = {
    "left": (Key.Key_Left, Key.Key_A),
    "right": (Key.Key_Right, Key.Key_D),
    "up": (Key.Key_Up, Key.Key_W),
    "down": (Key.Key_Down, Key.Key_S),
    "fire": (Key.Key_Space,),
}
_SIGNS = {
    Key.Key_Left: "←", Key.Key_Right: "→", Key.Key_Up: "↑", Key.Key_Down: "↓", Key.Key_Space: "Space",
}  # fmt: skip
_WORDS = {
    "left": "left", "west": "left", "right": "right", "east": "right", "up": "up", "north": "up", "main": "up",
    "down": "down", "south": "down", "fire": "fire", "shoot": "fire", "toggle": "fire", "jump": "fire",
}  # fmt: skip
_RELATIVE_DIRECTIONS = {
    "forward": ("up", "right"), "ahead": ("up", "right"), "faster": ("up",), "back": ("down", "left"),
    "backward": ("down", "left"), "slower": ("down",), "brake": ("down",),
}  # fmt: skip
"""Words that get the first of these directions that no other action uses."""
_IDLE = frozenset(
    ("noop", "no op", "nothing", "do nothing", "none", "idle", "stay", "stay still", "coast", "wait", "done")
)
_NOT_A_DIRECTION = ("pick up", "pickup", "drop off")
_JOINED = re.compile(r"(?:up|down|left|right|fire){2,}")
_ARROWS = frozenset(("left", "right", "up", "down"))
_STEERING_LETTERS, _CARD_LETTERS = (
    frozenset("WASD"),
    frozenset("NT"),
)  # letters used for directions, and by the Agent card


@dataclass(frozen=True)
class DrivingKeys:
    """The keys for a set of actions.

    Attributes:
        names: names of the actions.
        idle: the no-op action; None if the task has none.
        chords: action for directions held together, such as `left`, or `left` and `fire`.
        single: action for each single key: digits and letters.
    """

    names: tuple[str, ...]
    idle: int | None
    chords: dict[frozenset[str], int]
    single: dict[int, int]

    @classmethod
    def of(cls, names: Sequence[str]) -> DrivingKeys:
        """Assign keys: digits by the number of the action, from 0; other keys by its name.

        Directions get the arrows and WASD; *fire*, *jump* and *toggle* get the space bar. Several in one name
        (`UPRIGHTFIRE` in Atari) are held together. Of signed numbers (`torque −1`) the lowest is left, the highest
        right, and 0 is the no-op. Other actions get a letter of their name.
        """
        words = [_words_of(name) for name in names]
        idle = next((index for index, each in enumerate(words) if " ".join(each) in _IDLE), None)
        chords: dict[frozenset[str], int] = {}
        for index, each in enumerate(words):
            held = _directions_of_name(each)
            if held and index != idle:
                chords.setdefault(held, index)
        for index, each in enumerate(words):
            loose = next((_RELATIVE_DIRECTIONS[word] for word in each if word in _RELATIVE_DIRECTIONS), ())
            free = next((word for word in loose if frozenset((word,)) not in chords), None)
            if free is not None and index not in chords.values():
                chords[frozenset((free,))] = index
        signed = _signed_actions(names)
        if signed is not None and not chords:
            low, middle, high = signed
            chords, idle = {frozenset(("left",)): low, frozenset(("right",)): high}, middle
        single: dict[int, int] = {int(Key.Key_0) + index: index for index in range(min(len(names), 10))}
        directions = any(held & _ARROWS for held in chords)
        for index, each in enumerate(words):
            letter = _free_letter(each, _CARD_LETTERS | _STEERING_LETTERS if directions else _CARD_LETTERS, single)
            if letter is not None and index != idle and index not in chords.values():
                single[letter] = index
        return cls(tuple(names), idle, chords, single)

    def uses(self, key: int) -> bool:
        """Whether the key has an action."""
        return key in self.single or any(word in held for word in _directions_of_key(key) for held in self.chords)

    def action_of(self, held: Sequence[int]) -> int | None:
        """The action for the held keys, of which the newest is last; None if they have none."""
        directions = frozenset(word for key in held for word in _directions_of_key(key))
        for key in reversed(held):
            if key in self.single:
                return self.single[key]
            fits = [chord for chord in self.chords if chord <= directions and chord & set(_directions_of_key(key))]
            if fits:
                return self.chords[max(fits, key=len)]
        return None

    def key_text(self, action: int) -> str:
        """The label of an action's key, such as `← + Space`; empty if it has no key."""
        for chord, index in self.chords.items():
            if index == action:
                return " + ".join(_SIGNS[_DIRECTION_KEYS[word][0]] for word in _DIRECTION_KEYS if word in chord)
        keys = [key for key, index in self.single.items() if index == action]
        return chr(keys[-1]) if keys else ""  # the letter rather than the digit

    def in_words(self) -> str:
        """Every action with its keys, in one sentence."""
        lines = []
        for index, name in enumerate(self.names):
            signs = [sign for sign in (self.key_text(index), str(index) if index < 10 else "") if sign]
            lines.append(f"{' or '.join(dict.fromkeys(signs)) or 'no key'}: {name}")
        steers = any(held & _ARROWS for held in self.chords)
        more = " W, A, S and D do what the arrows do." if steers else ""
        return ", ".join(lines) + "." + more


def _directions_of_key(key: int) -> list[str]:
    return [word for word, keys in _DIRECTION_KEYS.items() if key in keys]


def _words_of(name: str) -> list[str]:
    text = name.casefold().replace("_", " ").replace("-", " ")
    return [word for word in text.split() if word]


def _directions_of_name(words: list[str]) -> frozenset[str]:
    """The directions in the name of an action."""
    text = " ".join(words)
    if any(phrase in text for phrase in _NOT_A_DIRECTION):
        return frozenset()
    if len(words) == 1 and _JOINED.fullmatch(text):
        return frozenset(re.findall("up|down|left|right|fire", text))
    return frozenset(_WORDS[word] for word in words if word in _WORDS)


def _signed_actions(names: Sequence[str]) -> tuple[int, int | None, int] | None:
    """For names that are numbers of both signs: the actions of the lowest, of zero (or None), of the highest."""
    try:
        values = [float(name.split()[-1].replace("−", "-")) for name in names]
    except (ValueError, IndexError):
        return None
    if len(values) < 2:
        return None
    low, high = min(values), max(values)
    if not low < 0 < high or len(set(values)) < len(values):
        return None
    return values.index(low), values.index(0.0) if 0.0 in values else None, values.index(high)


def _free_letter(words: list[str], reserved: frozenset[str], used: dict[int, int]) -> int | None:
    """A letter key for an action: the first free initial of its words."""
    for word in words:
        initial = word[0].upper()
        if "A" <= initial <= "Z" and initial not in reserved and ord(initial) not in used:
            return ord(initial)
    return None
