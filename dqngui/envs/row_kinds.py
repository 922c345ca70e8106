"""Row kinds: whether the rows of an observed table (N, F) have a fixed order, or are a set of entities.

The rows of a table are a set only where something says so; else their order counts, as it does in a window of the past.
A set is

- a table with a number called `presence`: its absent entities leave their places to others;
- what an environment, or a wrapper around it, lists in an attribute `entity_sets`: a dictionary from the names of parts
  (`observation` if there is only one) to the index of the row that is the agent itself, or None;
- the vehicles that a task of highway-env observes; the first one is the agent's own;
- every table, if the setting `env.rows` says so. No row is then known to be the agent's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import gymnasium
import msgspec

from dqngui.config import ConfigError
from dqngui.envs.parts import ObservationPart

PRESENCE = "presence"
"""Name of the number that is 0 if an entity is absent."""
_ATTRIBUTE = "entity_sets"


def with_row_kinds(
    parts: tuple[ObservationPart, ...],
    features: tuple[str, ...],
    env: gymnasium.Env[Any, Any],
    rows: Literal["auto", "ordered", "set"],
) -> tuple[ObservationPart, ...]:
    """The parts, where tables that are sets are entities, which know their number of presence and the agent's own row.

    Args:
        features: names as in `Spaces.features`.
        rows: the setting `env.rows`.

    Raises ConfigError if the environment names an own row that its table does not have.
    """
    known, first = [], 0
    for part in parts:
        names = features[first : first + part.named_numbers]
        first += len(names)
        known.append(part if part.kind != "rows" or rows == "ordered" else _told(part, names, env, rows == "set"))
    return tuple(known)


def _told(part: ObservationPart, names: tuple[str, ...], env: gymnasium.Env[Any, Any], anyhow: bool) -> ObservationPart:
    presence = names.index(PRESENCE) if PRESENCE in names else None
    own: int | None = None
    is_set = anyhow or presence is not None
    if not anyhow:
        sets = _own_rows(part, env)
        if part.name in sets:
            is_set, own = True, sets[part.name]
    if own is not None and own not in range(part.raw_shape[0]):
        raise ConfigError("observation.own_row", name=part.name, row=own, rows=part.raw_shape[0])
    return msgspec.structs.replace(part, kind="entities", presence=presence, own=own) if is_set else part


def _own_rows(part: ObservationPart, env: gymnasium.Env[Any, Any]) -> Mapping[str, int | None]:
    """The agent's own row, by the names of parts that are known to be sets."""
    if env.has_wrapper_attr(_ATTRIBUTE):
        sets = env.get_wrapper_attr(_ATTRIBUTE)
        if isinstance(sets, Mapping):
            return sets
    vehicles = getattr(env.unwrapped, "observation_type", None)
    shape = getattr(vehicles, "vehicles_count", None), len(getattr(vehicles, "features", None) or ())
    return {part.name: 0} if part.raw_shape == shape else {}
