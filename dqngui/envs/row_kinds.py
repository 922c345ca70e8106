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
import numpy as np

from dqngui.config import ConfigError
from dqngui.envs.offered_names import offered
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
    if own is not None and not (_is_index(own) and 0 <= own < part.raw_shape[0]):
        raise ConfigError("observation.own_row", name=part.name, row=str(own), rows=part.raw_shape[0])
    own = None if own is None else int(own)
    return msgspec.structs.replace(part, kind="entities", presence=presence, own=own) if is_set else part


def _is_index(own: Any) -> bool:
    return isinstance(own, (int, np.integer)) and not isinstance(own, bool)


def _own_rows(part: ObservationPart, env: gymnasium.Env[Any, Any]) -> Mapping[str, Any]:
    """The agent's own row, by the names of parts that are known to be sets.

    An attribute of another package that raises, or that is something else there, is as if it were not there.
    """
    sets = offered(env, _ATTRIBUTE)
    if isinstance(sets, Mapping):
        return sets
    try:
        vehicles: Any = env.unwrapped
        vehicles = vehicles.observation_type
        return {part.name: 0} if part.raw_shape == (int(vehicles.vehicles_count), len(vehicles.features)) else {}
    except Exception:
        return {}
