"""Measures the share of an agent's attention on the relevant token, for tasks that name it.

An environment names it with `info["relevant"]`, the row of an entity. For each view, the best head (and query or
action) is chosen on selection seeds and reported on test seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from dqngui.config import Experiment
from dqngui.envs.make import make_vector
from dqngui.envs.seeds import SELECTION_SEEDS, TEST_SEEDS
from dqngui.learning.acting import inputs_of
from dqngui.nets.network import QNetwork
from dqngui.nets.record import Record

EPISODES = 32


def shares(network: QNetwork, experiment: Experiment) -> dict[str, Any]:
    """For each view with keys: mean share of all heads, share and index of the best head; `chance` is 1 / tokens."""
    chosen = _on_relevant(network, experiment, range(SELECTION_SEEDS, SELECTION_SEEDS + EPISODES))
    tested = _on_relevant(network, experiment, range(TEST_SEEDS, TEST_SEEDS + EPISODES))
    result: dict[str, Any] = {"chance": round(1 / network.encoder.count, 4)}
    for name, share in tested.items():
        best = np.unravel_index(int(chosen[name].argmax()), share.shape)
        result[name] = {
            "mean": round(float(share.mean()), 4),
            "best": round(float(share[best]), 4),
            "where": [int(index) for index in best],
        }
    return result


def _on_relevant(network: QNetwork, experiment: Experiment, seeds: Sequence[int]) -> dict[str, np.ndarray]:
    """Mean share over all steps of greedy episodes, for each view with keys: an array over the view's other axes."""
    views = [spec for spec in network.views() if spec.axes[-1:] == ("key",) and spec.name.startswith("attention/")]
    first = next(i for i, label in enumerate(network.encoder.labels) if label.endswith(" 1"))
    device = next(network.parameters()).device
    count = len(seeds)
    envs = make_vector(experiment.env, count)
    parts = envs.reset(list(seeds))
    action, reward = np.full(count, -1, dtype=np.int64), np.zeros(count, dtype=np.float32)
    active = np.ones(count, dtype=bool)
    shares: dict[str, list[np.ndarray]] = {spec.name: [] for spec in views}
    with torch.inference_mode():
        state = network.initial_state(count)
        while active.any():
            relevant = first + np.array([info.get("relevant", 0) for info in envs.infos])
            record = Record()
            q, state = network(inputs_of(parts, action, reward, device), state, record)
            for name, kept in shares.items():
                weights = record.values[name][0].cpu().numpy()  # (B, ..., K)
                kept += [weights[env, ..., relevant[env]] for env in np.flatnonzero(active)]
            action = q[0].argmax(-1).cpu().numpy()
            parts, raw, terminated, truncated = envs.step(action, active)
            reward = network.reward_unit.learned(raw)
            active &= ~(terminated | truncated)
    envs.close()
    return {name: np.mean(kept, axis=0) for name, kept in shares.items()}
