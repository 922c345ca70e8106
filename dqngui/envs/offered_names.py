"""Names that environments of other packages offer for their actions and for the entries of their observations.

| package              | actions                                  | entries of the observation                     |
|----------------------|------------------------------------------|------------------------------------------------|
| highway-env          | `action_type.actions`, {index: name}     | `observation_type.features`                    |
| minigrid and like it | `actions` or `Actions`, an Enum          |                                                |
| Atari and like it    | `get_action_meanings()`                  |                                                |
| MinAtar              | `game.env.action_map` and `action_set`   |                                                |
| MuJoCo of gymnasium  | actuators, for each continuous number    | `observation_structure` and the model's joints |

Nothing here trusts what it reads: names that are no short plain text, that are not told apart or whose number is wrong
are not used, and an attribute that raises is as if it were not there. The names label plots and keys.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import gymnasium

from dqngui.envs.parts import ObservationPart

Env = gymnasium.Env[Any, Any]
LONGEST = 80
"""Characters of a name; a longer one is cut."""
MOST_NAMES = 10_000

_WORDS = {"n": "no-op", "l": "left", "u": "up", "r": "right", "d": "down", "f": "fire", "noop": "no-op"}
_DIRECTIONS = re.compile(r"up|down|left|right|fire")
_MARKUP = re.compile(r"<[a-zA-Z/!?]")  # a label would show it as rich text


def offered(env: Env, attribute: str) -> Any:
    """An optional attribute of an environment or of a wrapper around it; None if there is none, or if reading it raises
    anything (a property or `__getattr__` of another package).
    """
    try:
        return env.get_wrapper_attr(attribute)
    except Exception:
        return None


def plain_names(names: Any, count: int) -> tuple[str, ...]:
    """`count` names as short lines of printable text; () if these are not so many, or not all of them are text.

    Names by number are put in this order: a dictionary {0: name, …} or the members of an Enum with these values.
    """
    try:
        if isinstance(names, (str, bytes)) or count > MOST_NAMES or len(names) != count:
            return ()
        plain = tuple(_plain(name) for name in _in_order(names, count))
    except Exception:  # an object of another package, of any kind
        return ()
    return plain if all(plain) else ()


def _in_order(names: Any, count: int) -> Iterable[Any]:
    """The names by the numbers 0 to count - 1. Raises KeyError if there are other numbers."""
    if isinstance(names, type) and issubclass(names, enum.Enum):
        names = {member.value: _spelt(member.name) for member in names}
    if isinstance(names, Mapping):
        by_number = {int(key): name for key, name in names.items()}
        names = [by_number[number] for number in range(count)]
    return [_spelt(each.name) if isinstance(each, enum.Enum) else each for each in names]


def _plain(name: Any) -> str:
    """One line of printable text; "" if there is none."""
    if not isinstance(name, str):
        return ""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in str.__str__(name)[: 10 * LONGEST]).split())
    if _MARKUP.search(line):
        return ""
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _distinct(names: Any, count: int) -> tuple[str, ...]:
    plain = plain_names(names, count)
    return plain if len(set(plain)) == len(plain) else ()


def _first(readers: Iterable[Callable[[Any], Any]], env: Env, count: int) -> tuple[str, ...]:
    """The names that the first reader finds."""
    for read in readers:
        try:
            names = _distinct(read(env.unwrapped), count)
        except Exception:  # the attribute is not there, or is something else in this package
            continue
        if names:
            return names
    return ()


# -- actions --------------------------------------------------------------------------------------


def offered_actions(env: Env, count: int) -> tuple[str, ...]:
    """Names of the actions 0 to count - 1 of an environment; () if it offers none."""
    return _first((_indexed, _enumerated, _meanings, _letters), env, count)


def _indexed(env: Any) -> list[str]:
    actions = env.action_type.actions
    return [_spelt(actions[index]) for index in range(len(actions))]


def _enumerated(env: Any) -> list[str]:
    """Members of an Enum with the values 0, 1, 2 … in this order."""
    for attribute in ("actions", "Actions"):
        members = getattr(env, attribute, None)
        if isinstance(members, type) and issubclass(members, enum.Enum):
            by_value = {member.value: member.name for member in members}
            return [_spelt(by_value[index]) for index in range(len(by_value))]
    return []


def _meanings(env: Any) -> list[str]:
    return [_spelt(name) for name in islice(env.get_action_meanings(), MOST_NAMES)]


def _letters(env: Any) -> list[str]:
    letters = env.game.env.action_map
    return [_WORDS.get(letter := letters[index], letter) for index in env.action_set]


def _spelt(constant: Any) -> str:
    """A constant's name in words: LANE_LEFT is lane left, UPRIGHTFIRE is up right fire."""
    if not isinstance(constant, str):
        raise TypeError(constant)
    words = constant.lower().replace("_", " ")
    joined = _DIRECTIONS.findall(words)
    return " ".join(joined) if "".join(joined) == words else _WORDS.get(words, words) if len(words) > 1 else words


def offered_dimensions(env: Env, count: int) -> tuple[str, ...]:
    """Names of the `count` numbers of a continuous action; () if an environment offers none."""
    return _first((_pedals, _actuators), env, count)


def _pedals(env: Any) -> list[str]:
    action = env.action_type
    return [name for name, used in (("acceleration", action.longitudinal), ("steering", action.lateral)) if used]


def _actuators(env: Any) -> list[str]:
    """An actuator's own name, or else that of the joint that it drives."""
    model = env.model
    ids = [int(model.actuator_trnid[index][0]) for index in range(model.nu)]
    return [model.actuator(index).name or model.joint(driven).name for index, driven in enumerate(ids)]


# -- entries of the observation -------------------------------------------------------------------


def offered_features(env: Env, parts: Sequence[ObservationPart]) -> tuple[str, ...]:
    """Names of the entries of all vectors and entities of an environment, in order; () if it offers none."""
    count = sum(part.named_numbers for part in parts)
    named = [part for part in parts if part.named_numbers]
    return _first((lambda inner: _of_vehicles(inner, named), _of_bodies), env, count)


def _of_vehicles(env: Any, parts: Sequence[ObservationPart]) -> list[str]:
    features = list(islice(env.observation_type.features, MOST_NAMES))
    names: list[str] = []
    for part in parts:
        rows = part.named_numbers // len(features)
        own = [f"{name} of vehicle {row}" if rows > 1 else name for row in range(rows) for name in features]
        names += [f"{part.name} {name}" if len(parts) > 1 else name for name in own]
    return names


_COORDINATES = {
    0: (("x", "y", "z", "turn w", "turn x", "turn y", "turn z"), ("x", "y", "z", "turn x", "turn y", "turn z")),
    1: (("turn w", "turn x", "turn y", "turn z"), ("turn x", "turn y", "turn z")),
    2: (("",), ("",)),
    3: (("",), ("",)),
}
"""By the type of a MuJoCo joint (free, ball, slide, hinge): its positions (a turn is a quaternion) and velocities."""


def _of_bodies(env: Any) -> list[str]:
    """Positions and velocities of joints; numbers of other quantities are counted."""
    structure = env.observation_structure
    joints = [(env.model.joint(index).name, int(env.model.jnt_type[index])) for index in range(env.model.njnt)]
    known = {
        key: [" ".join(f"{name} {axis} {what}".split()) for name, kind in joints for axis in _COORDINATES[kind][side]]
        for side, (key, what) in enumerate((("qpos", "position"), ("qvel", "velocity")))
    }
    known["qpos"] = known["qpos"][int(structure.get("skipped_qpos", 0)) :]
    names: list[str] = []
    for key, size in structure.items():
        if key.startswith("skipped"):
            continue
        size = int(size)
        if not 0 <= size <= MOST_NAMES:
            return []
        own = known.get(key, [])
        names += own if len(own) == size else [f"{key}[{index}]" for index in range(size)]
    return names
