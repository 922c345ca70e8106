"""The choice of a device by measuring: a run's own acting and updates are timed on the CPU and on the GPU.

A small network is faster on the CPU: starting a kernel on a GPU takes longer than its arithmetic.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from msgspec.structs import replace

from dqngui import catalog
from dqngui.config import Experiment
from dqngui.envs.legal_actions import Mask
from dqngui.envs.spaces import Spaces
from dqngui.envs.vector import Envs, Parts
from dqngui.learning.algorithm import Algorithm, Generators
from dqngui.learning.counters import Counters
from dqngui.learning.devices import available_devices

ROUNDS = 4
"""Rounds of acting and learning that are measured, after a first one that is not."""

LONGEST_SECONDS = 5.0
"""On each device no round begins after this time."""

Measure = Callable[[Experiment, Spaces, torch.device], float]


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """The fastest device of a run.

    Attributes:
        device: its name, as `run.device` accepts it.
        seconds: time that acting and learning take for each environment step, by device; empty if there was no choice.
    """

    device: str
    seconds: Mapping[str, float]


def fastest_device(
    experiment: Experiment, spaces: Spaces, devices: Sequence[str] | None = None, measure: Measure | None = None
) -> DeviceChoice:
    """The device on which this experiment's network acts and learns fastest; the CPU, unmeasured, if there is no other.

    Args:
        devices: those to choose from; by default the CPU and the first GPU.
        measure: gives the seconds for each environment step on a device; by default `seconds_per_step`.
    """
    if devices is None:
        devices = [name for name in available_devices() if name != "auto"][:2]
    if len(devices) == 1:
        return DeviceChoice(devices[0], {})
    measure = measure or seconds_per_step
    seconds = {name: measure(experiment, spaces, torch.device(name)) for name in devices}
    return DeviceChoice(min(seconds, key=lambda name: seconds[name]), seconds)


def seconds_per_step(experiment: Experiment, spaces: Spaces, device: torch.device) -> float:
    """Seconds that the experiment's own algorithm takes to act and learn, for each environment step.

    It plays in environments that always show zeros, so the environments' time does not count, nor do those of the run
    change. The random generators are its own.
    """
    learn = experiment.learn
    memory = experiment.net.memory_options
    read = max(learn.burn_in + learn.state_stride, int(getattr(memory, "context", 0)))
    # Enough steps for a window, and for the whole of a window to be written.
    filling = (2 * learn.window + read + learn.n_step) * experiment.env.num_envs
    small = replace(learn, warmup=filling, replay_capacity=min(learn.replay_capacity, 4 * filling))
    experiment = replace(experiment, learn=small)
    envs = _StillEnvs(spaces, experiment.env.num_envs)
    make = catalog.load(catalog.ALGORITHMS[learn.algorithm])
    algorithm: Algorithm = make(experiment, cast(Envs, envs), device, Generators(0))
    algorithm.actor.begin()
    counters = Counters.of(experiment)
    _round(algorithm, experiment, counters)
    _finish(device)
    began, first = time.perf_counter(), counters.step
    for _ in range(ROUNDS):
        _round(algorithm, experiment, counters)
        _finish(device)
        if time.perf_counter() - began > LONGEST_SECONDS:
            break
    return (time.perf_counter() - began) / (counters.step - first)


def _round(algorithm: Algorithm, experiment: Experiment, counters: Counters) -> None:
    """Act until updates are due, and make them."""
    made = 0
    while not made:
        algorithm.act(experiment, counters, 0.1)
        counters.step += len(algorithm.envs)
        made = sum(1 for _ in algorithm.learn(experiment, counters))


def _finish(device: torch.device) -> None:
    """Wait until a device has computed all that it was asked to."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


class _StillEnvs:
    """Environments whose episodes never end and which always show zeros: what an algorithm needs of `Envs`."""

    def __init__(self, spaces: Spaces, count: int) -> None:
        self.spaces, self._count = spaces, count
        self._parts: Parts = {part.name: np.zeros((count, *part.shape), part.dtype) for part in spaces.parts}
        self.legal: Mask | None = None
        self.infos: list[dict[str, Any]] = [{} for _ in range(count)]

    def __len__(self) -> int:
        return self._count

    def reset(self, seeds: Sequence[int]) -> Parts:
        """What is shown first."""
        return self._parts

    def step(self, actions: np.ndarray) -> tuple[Parts, np.ndarray, np.ndarray, np.ndarray]:
        """As `Envs.step`; nothing changes."""
        never = np.zeros(self._count, dtype=np.bool_)
        return self._parts, np.zeros(self._count), never, never.copy()
