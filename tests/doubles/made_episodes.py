"""Recorded training episodes, and the names of weights, in a run's folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dqngui import config
from dqngui import messages as m
from dqngui.runs.episodes import EpisodeFiles, EpisodeTrace

LENGTH = 100  # of every scripted episode
ENVS = config.Experiment().env.num_envs
EARLY, LATE = 600 * ENVS, 1100 * ENVS  # the steps of the weights that are stored


def ended(number: int, ret: float = LENGTH, after: int = 0) -> m.EpisodeEnded:
    return m.EpisodeEnded(step=after + LENGTH * ENVS * (number + 1), ret=ret, length=LENGTH, episode=number)


def actions_of(number: int) -> np.ndarray:
    """The actions of the scripted agent, except at one step."""
    actions = np.where(np.arange(LENGTH) > 10, 0, 1)
    actions[20 + number] = 1
    return actions


def store(folder: Path, events: Sequence[m.EpisodeEnded], stored: Sequence[int] = (0, EARLY, LATE)) -> None:
    """Append episodes to the run's files, and write weights files, of which only the names matter."""
    have = [
        (folder / name).stat().st_size if (folder / name).exists() else 0 for name in ("episodes.dat", "episodes.idx")
    ]
    files = EpisodeFiles(folder, (have[0], have[1]))
    for event in events:
        seed = 1000 + event.episode
        files.append(EpisodeTrace(event.step, event.env, event.episode, seed, actions_of(event.episode)))
    files.flush()
    files.close()
    (folder / "checkpoints").mkdir(exist_ok=True)
    for step in stored:
        (folder / "checkpoints" / f"{step}.pt").write_bytes(b"")
