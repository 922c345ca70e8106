"""Driving: what highway-env's simulator knows, as measures of an episode and as places in the picture.

`with_driving` puts `Driving` around every environment of highway-env. It changes neither observations nor rewards.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

Env = gymnasium.Env[Any, Any]
_PACKAGE = "highway_env."


def is_driving(env: Env) -> bool:
    """Whether an environment is one of highway-env, or is derived from one."""
    return any(kind.__module__.startswith(_PACKAGE) for kind in type(env.unwrapped).__mro__)


def with_driving(env: Env) -> Env:
    """The environment, with `Driving` around it if it is one of highway-env."""
    return Driving(env) if is_driving(env) else env


def observed_vehicles(env: Env) -> list[Any] | None:
    """The vehicles (and obstacles) of the rows of the observed table, the ego vehicle first.

    None where the rows are not known: they are shuffled, or something else than one table is observed.
    """
    scene: Any = env.unwrapped
    table = scene.observation_type
    try:
        if table.order != "sorted" or scene.road is None:
            return None
        ego = table.observer_vehicle
        others = scene.road.close_objects_to(
            ego,
            scene.PERCEPTION_DISTANCE,
            count=table.vehicles_count - 1,
            see_behind=table.see_behind,
            sort=True,
            vehicles_only=not table.include_obstacles,
        )
        return [ego, *others[-table.vehicles_count + 1 :]]
    except AttributeError:  # not the observation `Kinematics`
        return None


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

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self._speeds, self._right = [], []
        return self.env.reset(seed=seed, options=options)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(action)
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
        vehicles = observed_vehicles(self)
        if vehicles is None:
            return None
        scene: Any = self.unwrapped
        places = np.full((scene.observation_type.vehicles_count, 2), np.nan)
        places[: len(vehicles)] = [place_of(scene, vehicle) for vehicle in vehicles]
        return places

    def step_notes(self) -> dict[str, str]:
        """Speed, and lane counted from the left, as `dqngui.envs.step_notes` says."""
        scene: Any = self.unwrapped
        lane, lanes = lane_of(scene)
        notes = {"speed": f"{scene.vehicle.speed:.1f} m/s"}
        if lanes > 1:
            notes["lane"] = f"{lane} of {lanes}"
        return {**notes, "state": "crashed"} if scene.vehicle.crashed else notes


def place_of(scene: Any, vehicle: Any) -> tuple[float, float]:
    """Where the scene's picture shows a vehicle: shares of its width and height, outside [0, 1] if it does not.

    The picture follows the first ego vehicle, which is at `centering_position`.
    """
    config, centre = scene.config, scene.vehicle.position
    size = np.array([config["screen_width"], config["screen_height"]])
    moved = (np.asarray(vehicle.position) - centre) * config["scaling"] / size
    x, y = moved + np.asarray(config["centering_position"])
    return float(x), float(y)


def lane_of(scene: Any) -> tuple[int, int]:
    """The ego vehicle's lane, counted from 1 at the left, and the number of lanes there."""
    index = scene.vehicle.lane_index
    return int(index[2]) + 1, len(scene.road.network.all_side_lanes(index))


def _has_lanes(scene: Any) -> bool:
    """Whether any road of a scene has several lanes."""
    return any(len(lanes) > 1 for ways in scene.road.network.graph.values() for lanes in ways.values())


def is_hidden_by(ego: Any, vehicle: Any, others: list[Any], width: float) -> bool:
    """Whether a nearer one of `others` covers the line of sight from `ego` to the middle of `vehicle`.

    Args:
        width: m, of the shadow of each of them: the line is covered if it passes within half of that of their middle.
    """
    sight = np.asarray(vehicle.position) - ego.position
    distance = math.hypot(*sight)
    return any(_is_before(sight, distance, relative, width / 2) for relative in _relative(ego, vehicle, others))


def _relative(ego: Any, vehicle: Any, others: list[Any]) -> Iterator[npt.NDArray[np.float64]]:
    for other in others:
        if other is not ego and other is not vehicle:
            yield np.asarray(other.position) - ego.position


def _is_before(sight: npt.NDArray[Any], distance: float, other: npt.NDArray[Any], reach: float) -> bool:
    if distance == 0:
        return False
    along = float(sight @ other) / distance
    across = float(sight[0] * other[1] - sight[1] * other[0]) / distance
    return 0 < along < distance and abs(across) < reach
