"""The batches that an off-policy update learns from: windows of steps, or single steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dqngui.learning.windows import Steps

RawInputs = tuple[dict[str, NDArray[Any]], NDArray[np.int64], NDArray[np.float64]]
"""Observation parts by name, previous actions and previous raw rewards."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows of one update, time first, left-aligned, padded at the end.

    Attributes:
        observation: parts by name, (L, B, ...).
        prev_action, prev_reward: previous action (−1 at an episode's start) and previous raw reward, (L, B).
        action: action at each row, (L, B); 0 where there was none.
        returns: n-step sums of raw rewards, (L, B).
        bootstrap_row: row from which each step bootstraps, (L, B).
        discount: γ^k of that bootstrap, 0 after a termination, (L, B).
        mask: rows whose loss counts, (L, B); those before them are only read.
        state: stored memory state at row 0, or at the first row of the burn-in where there is one (recurrent memories),
            else None.
        burn: inputs of the burn-in, the rows before row 0 that refresh that state; None if there are none.
        burned: which windows have a burn-in, (B,).
        weights: importance weights (B,), or None when sampling is uniform.
        indices: where `set_priorities` puts the windows' priorities, (B,); without priorities the windows' first
            learned steps in the ring.
        legal: which actions were legal at each row, (L, B, A); None: all.
    """

    observation: dict[str, NDArray[Any]]
    prev_action: NDArray[np.int64]
    prev_reward: NDArray[np.float64]
    action: NDArray[np.int64]
    returns: NDArray[np.float64]
    bootstrap_row: NDArray[np.int64]
    discount: NDArray[np.float32]
    mask: NDArray[np.bool_]
    state: tuple[NDArray[Any], ...] | None
    burn: tuple[dict[str, NDArray[Any]], NDArray[np.int64], NDArray[np.float64]] | None
    burned: NDArray[np.bool_] | None
    weights: NDArray[np.float32] | None
    indices: Steps
    legal: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class OneStepBatch:
    """Single steps of one update for an agent without memory: each with the step it bootstraps from.

    Attributes:
        now, later: (observation parts (B, ...), previous action (B,), previous raw reward (B,)) of the step and of the
            one that it bootstraps from.
        action: action at the step, (B,).
        returns, discount: n-step sum of raw rewards, and γ^k or 0 after a termination, (B,).
        weights, indices: as in `Batch`.
        later_legal: which actions were legal at the step that it bootstraps from, (B, A); None: all.
    """

    now: RawInputs
    later: RawInputs
    action: NDArray[np.int64]
    returns: NDArray[np.float64]
    discount: NDArray[np.float32]
    weights: NDArray[np.float32] | None
    indices: Steps
    later_legal: NDArray[np.bool_] | None = None
