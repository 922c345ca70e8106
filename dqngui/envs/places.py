"""Places: where an environment draws the entities that its agent sees, so that attention can be marked on the picture.

An environment, or a wrapper around it, that observes a list of entities (N, F) may have a method `entity_places()`. It
gives (N, 2) floats, a row for each row of the observation given last: how far right and how far down in the picture of
`render` the entity is drawn, as shares of the picture's width and height, from the left and upper edge; NaN for an
entity that is absent. It is asked of environments that have no render mode too, and must change nothing.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.float32]
_METHOD = "entity_places"


def places_of(env: gymnasium.Env[Any, Any], count: int) -> Places | None:
    """Where `env` draws its `count` entities now, (count, 2); None where it does not say, or not so that it fits."""
    try:
        if not env.has_wrapper_attr(_METHOD):
            return None
        with np.errstate(over="ignore"):
            places = np.array(env.get_wrapper_attr(_METHOD)(), np.float32)
    except Exception:  # whatever somebody's environment does wrong: marks on a picture are not worth an episode
        return None
    return places if places.shape == (count, 2) else None
