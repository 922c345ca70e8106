"""Hidden vehicles: a wrapper after which a driver must remember vehicles that are out of sight.

A vehicle is out of sight while another one covers the line of sight to it, or for some steps after it was lost at
random. The rows of those in sight move up, so that no gap tells that one is hidden. The hidden rows are all zeros.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from dqngui.catalog.wrappers import HideVehiclesOptions
from dqngui.config import ConfigError
from dqngui.envs.driving import drawn_places, is_driving, positions_of
from dqngui.envs.facts import Facts, HidesFacts
from dqngui.envs.row_kinds import PRESENCE

Env = gymnasium.Env[Any, Any]
_AHEAD_M = 60.0  # how far ahead a hidden vehicle in the own lane counts as a fact
_SAME_M = 1.0  # a row is the vehicle whose middle is nearer than this to its position


def hide_vehicles(env: Env, options: HideVehiclesOptions) -> Env:
    """The environment, where vehicles are hidden as the options say. Raises ConfigError if it is no such task."""
    scene: Any = env.unwrapped
    shape = env.observation_space.shape or ()
    features = getattr(getattr(scene, "observation_type", None), "features", ())
    named = len(shape) == 2 and {PRESENCE, "x", "y"} <= set(features)
    if not (named and is_driving(env)) or positions_of(scene, np.zeros(shape)) is None:
        raise ConfigError("wrapper.no_vehicles")
    return HiddenVehicles(env, options)


class HiddenVehicles(gymnasium.Wrapper[Any, Any, Any, Any], HidesFacts):
    """Hides rows of the observed table of vehicles; the ego vehicle's own row is always in sight.

    What is lost at random depends on the episode's seed and its actions alone.
    """

    def __init__(self, env: Env, options: HideVehiclesOptions) -> None:
        super().__init__(env)
        self._options = options
        self._random = np.random.default_rng(0)
        self._lost: dict[int, tuple[Any, int]] = {}  # by the id of a vehicle: the vehicle, and steps left
        self._rows = np.zeros(env.observation_space.shape or ())
        self._hidden: list[Any] = []

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        observation, info = self.env.reset(seed=seed, options=options)
        self._random = np.random.default_rng(None if seed is None else [seed, 0x5EE])
        self._lost = {}
        return self._without_hidden(observation), info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(action)
        return self._without_hidden(observation), float(reward), terminated, truncated, info

    def _without_hidden(self, observation: npt.NDArray[Any]) -> npt.NDArray[Any]:
        scene: Any = self.unwrapped
        on_road: list[Any] = [*scene.road.vehicles, *scene.road.objects]
        positions = positions_of(scene, observation)
        vehicles = [] if positions is None else [_at(position, on_road) for position in positions[1:]]
        self._lose([vehicle for vehicle in vehicles if vehicle is not None])
        gone = np.array([self._is_hidden(vehicle, on_road) for vehicle in (None, *vehicles)])
        self._hidden = [vehicle for vehicle, hidden in zip(vehicles, gone[1:], strict=True) if hidden]
        self._rows = np.zeros_like(observation)
        rows = observation[~gone]
        self._rows[: len(rows)] = rows
        return self._rows

    def _is_hidden(self, vehicle: Any, on_road: Sequence[Any]) -> bool:
        if vehicle is None:
            return False
        ego = self.unwrapped.vehicle  # type: ignore[attr-defined]
        return id(vehicle) in self._lost or is_covered(ego, vehicle, on_road, self._options.shadow)

    def _lose(self, vehicles: Sequence[Any]) -> None:
        """Count down the lost vehicles, and lose others at random."""
        self._lost = {key: (vehicle, left - 1) for key, (vehicle, left) in self._lost.items() if left > 1}
        chances = self._random.random(len(vehicles))
        for vehicle, chance in zip(vehicles, chances, strict=True):
            if id(vehicle) not in self._lost and chance < self._options.chance:
                self._lost[id(vehicle)] = vehicle, self._options.steps

    def entity_places(self) -> npt.NDArray[np.float64] | None:
        """Where each row is drawn, (N, 2), as `dqngui.envs.places` says; a hidden vehicle has no row."""
        return drawn_places(self.unwrapped, self._rows)

    def hidden(self) -> Facts:
        """Number of hidden vehicles, and whether one of them is ahead in the own lane."""
        ego = self.unwrapped.vehicle  # type: ignore[attr-defined]
        ahead = [
            vehicle
            for vehicle in self._hidden
            if vehicle.lane_index == ego.lane_index and 0 < vehicle.position[0] - ego.position[0] < _AHEAD_M
        ]
        return {"hidden vehicles": float(len(self._hidden)), "hidden one ahead": int(bool(ahead))}


def _at(position: npt.NDArray[np.float64], on_road: Sequence[Any]) -> Any:
    """The vehicle or obstacle at a position; None: there is none, or the position is that of an absent row (NaN)."""
    for vehicle in on_road:
        if math.dist(vehicle.position, position) < _SAME_M:
            return vehicle
    return None


def is_covered(ego: Any, vehicle: Any, others: Sequence[Any], shadow: float) -> bool:
    """Whether a nearer one of `others` covers the line of sight from the middle of `ego` to that of `vehicle`.

    Args:
        shadow: m; the line is covered where it passes within half of that of another one's middle.
    """
    sight = np.asarray(vehicle.position) - ego.position
    distance = math.hypot(*sight)
    if not distance or not shadow:
        return False
    for other in others:
        if other is not ego and other is not vehicle:
            way = np.asarray(other.position) - ego.position
            along = float(sight @ way) / distance
            across = float(sight[0] * way[1] - sight[1] * way[0]) / distance
            if 0 < along < distance and abs(across) < shadow / 2:
                return True
    return False
