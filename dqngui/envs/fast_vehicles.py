"""Observes the vehicles of highway-env without pandas, which takes a quarter of the time of its fast tasks.

The numbers are those of the package, to the last bit: at every reset both are compared, and where they differ, as they
may in another version of it, the package's own way stays.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[Any]


def observe_fast(scene: Any, observed: Any) -> None:
    """Replace how a scene observes its vehicles from now to its next reset.

    Args:
        scene: an environment of highway-env that was just reset.
        observed: what the reset returned.
    """
    try:
        table = scene.observation_type
        if table.order != "sorted" or (table.normalize and not table.features_range):
            return
        fast = partial(_observed, scene, table)
        if isinstance(observed, np.ndarray) and np.array_equal(fast(), observed):
            table.observe = fast
    except Exception:  # not the observation `Kinematics`, or another version of it
        return


def _observed(scene: Any, table: Any) -> Rows:
    """The table of vehicles (N, F): the ego vehicle, then the others by their distance along the lane, then zeros."""
    ego = table.observer_vehicle
    others = scene.road.close_objects_to(
        ego,
        scene.PERCEPTION_DISTANCE,
        count=table.vehicles_count - 1,
        see_behind=table.see_behind,
        sort=True,
        vehicles_only=not table.include_obstacles,
    )[-table.vehicles_count + 1 :]
    origin = None if table.absolute else ego
    told = [ego.to_dict(), *(each.to_dict(origin, observe_intentions=table.observe_intentions) for each in others)]
    rows = np.array([[each.get(name, np.nan) for name in table.features] for each in told], np.float64)
    if table.normalize:
        for name, (low, high) in table.features_range.items():
            if name in table.features:
                column = table.features.index(name)
                rows[:, column] = -1 + (rows[:, column] - low) * 2 / (high - low)
                if table.clip:
                    rows[:, column] = np.clip(rows[:, column], -1, 1)
    whole = np.zeros((table.vehicles_count, len(table.features)))
    whole[: len(rows)] = rows
    return whole.astype(np.float32)
