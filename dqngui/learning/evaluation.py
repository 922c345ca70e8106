"""Greedy evaluation: episodes without exploration, on separate environments."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from dqngui.envs.vector import Envs
from dqngui.learning.acting import inputs_of
from dqngui.nets.trunk import Trunk


class Interrupted(Exception):
    """An evaluation was interrupted; it has no result."""


def evaluate(
    network: Trunk,
    envs: Envs,
    seeds: Sequence[int],
    *,
    device: torch.device,
    interrupted: Callable[[], bool],
) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Undiscounted returns and lengths of greedy episodes, one for each seed.

    As many episodes run at the same time as there are environments; an environment whose episode has ended waits for
    the others of its group. `interrupted` is called before every step; if it returns true, Interrupted is raised.
    """
    returns: list[float] = []
    lengths: list[int] = []
    for first in range(0, len(seeds), len(envs)):
        group = list(seeds[first : first + len(envs)])
        wanted = len(group)
        group += [group[-1]] * (len(envs) - wanted)
        ret, length = _one_group(network, envs, group, wanted, device, interrupted)
        returns += ret.tolist()[:wanted]
        lengths += length.tolist()[:wanted]
    return tuple(returns), tuple(lengths)


def _one_group(
    network: Trunk,
    envs: Envs,
    seeds: list[int],
    wanted: int,
    device: torch.device,
    interrupted: Callable[[], bool],
) -> tuple[np.ndarray, np.ndarray]:
    count = len(envs)
    ret, length = np.zeros(count), np.zeros(count, dtype=np.int64)
    action, reward = np.full(count, -1, dtype=np.int64), np.zeros(count, dtype=np.float32)
    active = np.arange(count) < wanted
    parts = envs.reset(seeds)
    with torch.inference_mode():
        state = network.initial_state(count)
        while active.any():
            if interrupted():
                raise Interrupted
            preferences, state = network.preferences(inputs_of(parts, action, reward, device), state)
            action = preferences[0].argmax(-1).cpu().numpy()
            parts, raw, terminated, truncated = envs.step(action, active)
            ret[active] += raw[active]
            length[active] += 1
            reward = network.reward_unit.learned(raw)
            active &= ~(terminated | truncated)
    return ret, length


def play_episode(
    network: Trunk,
    envs: Envs,
    seed: int,
    *,
    device: torch.device,
    watch: Callable[[int], None],
) -> tuple[float, int]:
    """One greedy episode in a single environment; `watch(t)` is called at every observation, the last included."""
    parts = envs.reset([seed])
    action, reward = np.full(1, -1, dtype=np.int64), np.zeros(1, dtype=np.float32)
    ret, length, ended = 0.0, 0, False
    with torch.inference_mode():
        state = network.initial_state(1)
        watch(0)
        while not ended:
            preferences, state = network.preferences(inputs_of(parts, action, reward, device), state)
            action = preferences[0].argmax(-1).cpu().numpy()
            parts, raw, terminated, truncated = envs.step(action)
            reward = network.reward_unit.learned(raw)
            ret, length = ret + float(raw[0]), length + 1
            ended = bool(terminated[0] or truncated[0])
            watch(length)
    return ret, length
