"""Driving: what highway-env's simulator knows, as measures of an episode and as places in the picture.

`with_driving` puts `Driving` around every environment of highway-env. It changes neither observations nor rewards.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from dqngui.envs.fast_vehicles import observe_fast
from dqngui.envs.row_kinds import PRESENCE

Env = gymnasium.Env[Any, Any]
_PACKAGE = "highway_env."


def is_driving(env: Env) -> bool:
    """Whether an environment is one of highway-env, or is derived from one."""
    return any(kind.__module__.startswith(_PACKAGE) for kind in type(env.unwrapped).__mro__)


def with_driving(env: Env) -> Env:
    """The environment, with `Driving` around it if it is one of highway-env."""
    return Driving(env) if is_driving(env) else env


def positions_of(scene: Any, rows: npt.NDArray[Any]) -> npt.NDArray[np.float64] | None:
    """Where the vehicles of an observed table (N, F) are, in meters (N, 2); NaN for an absent one, and
    for one whose numbers are cut at a bound.

    They are read from the rows themselves, of which the first is the ego vehicle: between an observation and the next
    one, vehicles appear and disappear. None where no table with x and y is observed.
    """
    try:
        table = scene.observation_type
        columns = [table.features.index(name) for name in ("x", "y")]
        places = np.asarray(rows, np.float64)[:, columns]
        if table.normalize:
            if table.clip:
                places[np.abs(places) >= 1] = np.nan  # it may be anywhere beyond
            for axis, name in enumerate(("x", "y")):
                low, high = table.features_range.get(name, (-1.0, 1.0))
                places[:, axis] = low + (places[:, axis] + 1) / 2 * (high - low)
        if not table.absolute:
            places[1:] += table.observer_vehicle.position
        places[0] = table.observer_vehicle.position
        there = rows[:, table.features.index(PRESENCE)] if PRESENCE in table.features else np.abs(rows).max(axis=1)
    except (AttributeError, IndexError, ValueError, TypeError):  # not the observation `Kinematics`
        return None
    places[1:][there[1:] == 0] = np.nan
    return places


class Driving(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Adds measures of the ego vehicle to an episode's last `info`, and says where the observed vehicles are drawn
    and how fast the ego vehicle is.

    `info["measures"]`:

    - `collision`: 1 if the ego vehicle crashed, else 0;
    - `mean speed`: m/s, over the steps of the episode;
    - `right lane`: share of the steps after which it was in the rightmost lane of its road; only where a road has
      several lanes.
    """

    def __init__(self, env: Env) -> None:
        super().__init__(env)
        self._speeds: list[float] = []
        self._right: list[bool] = []
        self._rows: Any = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self._speeds, self._right = [], []
        self._rows, info = self.env.reset(seed=seed, options=options)
        observe_fast(self.unwrapped, self._rows)
        return self._rows, info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._rows = observation
        scene: Any = self.unwrapped
        vehicle = scene.vehicle
        self._speeds.append(float(vehicle.speed))
        lane, lanes = lane_of(scene)
        self._right.append(lane == lanes)
        if terminated or truncated:
            measures = {"collision": int(vehicle.crashed), "mean speed": float(np.mean(self._speeds))}
            if _has_lanes(scene):
                measures["right lane"] = float(np.mean(self._right))
            info = {**info, "measures": {**measures, **info.get("measures", {})}}
        return observation, float(reward), terminated, truncated, info

    def entity_places(self) -> npt.NDArray[np.float64] | None:
        """Where each row of the observed table is drawn, (N, 2), as `dqngui.envs.places` says."""
        return drawn_places(self.unwrapped, self._rows)

    def step_notes(self) -> dict[str, str]:
        """Speed, and lane counted from the left, as `dqngui.envs.step_notes` says."""
        scene: Any = self.unwrapped
        lane, lanes = lane_of(scene)
        notes = {"speed": f"{scene.vehicle.speed:.1f} m/s"}
        if lanes > 1:
            notes["lane"] = f"{lane} of {lanes}"
        return {**notes, "state": "crashed"} if scene.vehicle.crashed else notes


def drawn_places(scene: Any, rows: npt.NDArray[Any]) -> npt.NDArray[np.float64] | None:
    """Where the scene's picture shows the vehicles of an observed table, (N, 2): shares of its width and height.

    The picture follows the first ego vehicle, which is at `centering_position`. None as in `positions_of`.
    """
    positions = positions_of(scene, rows)
    if positions is None:
        return None
    config = scene.config
    size = np.array([config["screen_width"], config["screen_height"]])
    moved = (positions - scene.vehicle.position) * config["scaling"] / size
    places: npt.NDArray[np.float64] = moved + np.asarray(config["centering_position"])
    return places


def lane_of(scene: Any) -> tuple[int, int]:
    """The ego vehicle's lane, counted from 1 at the left, and the number of lanes there."""
    index = scene.vehicle.lane_index
    return int(index[2]) + 1, len(scene.road.network.all_side_lanes(index))


def _has_lanes(scene: Any) -> bool:
    """Whether any road of a scene has several lanes."""
    return any(len(lanes) > 1 for ways in scene.road.network.graph.values() for lanes in ways.values())
