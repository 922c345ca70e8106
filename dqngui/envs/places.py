"""Places: where an environment draws its entities in its picture, so that attention can be marked there.

An environment, or a wrapper around it, that observes a list of entities (N, F) may have a method `entity_places()`. It
returns (N, 2) floats, a row for each row of the last observation: the position of the entity in the picture of
`render`, as shares of the picture's width (from the left) and height (from the top); NaN for an absent entity. It is
also called for environments without a render mode, and must not change the environment.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from dqngui.envs.offered_names import offered

Places = npt.NDArray[np.float32]
_METHOD = "entity_places"


def places_of(env: gymnasium.Env[Any, Any], count: int) -> Places | None:
    """Where `env` draws its `count` entities now, (count, 2); None if it does not say, or not in this shape."""
    method = offered(env, _METHOD)
    if method is None:
        return None
    try:
        with np.errstate(over="ignore"):
            places = np.array(method(), np.float32)
    except Exception:  # an error in a user's environment must not end the episode
        return None
    return places if places.shape == (count, 2) else None
