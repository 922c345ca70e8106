"""Exports an episode: all arrays with the names of their axes, or a table with one row per step."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dqngui.lab.analysis.table import Table
from dqngui.lab.playback.episode import PlayedEpisode

Arrays = dict[str, npt.NDArray[Any]]


def arrays_of(playing: PlayedEpisode) -> Arrays:
    """All arrays of an episode of T steps.

    `q` (T, A), `action` (T,), `reward` (T,) raw, `observation` (T, F) and, where they were recorded, `view/NAME`
    (T, *shape). `axes/NAME` names the axes of each array, `labels/AXIS` the positions on each named axis. `about` is a
    JSON text: environment, seed, weights, who acted. No array needs pickle.
    """
    ready = playing.ready
    axes = {"q": ("t", "action"), "action": ("t",), "reward": ("t",), "observation": ("t", "feature")}
    arrays: Arrays = {"q": playing.q, "action": playing.action, "reward": playing.reward}
    if playing.legal.size:
        arrays["legal"] = playing.legal
    arrays["observation"] = playing.observation
    for view in ready.views:
        values = playing.view(view.name)
        if values.ndim > 1:
            arrays[f"view/{view.name}"], axes[f"view/{view.name}"] = values, ("t", *view.axes)
    labels = {"action": ready.actions, "feature": ready.features, **ready.labels}
    named = {axis for names in axes.values() for axis in names}
    axis_arrays = {f"axes/{name}": np.array(names) for name, names in axes.items()}
    axis_arrays |= {f"labels/{axis}": np.array(names) for axis, names in labels.items() if names and axis in named}
    return arrays | axis_arrays | {"about": np.array(json.dumps(_about(playing), ensure_ascii=False))}


def _about(playing: PlayedEpisode) -> dict[str, Any]:
    return {
        "environment": playing.ready.environment,
        "seed": playing.seed,
        "epsilon": playing.epsilon,
        "weights": playing.source,
        "weights_step": playing.weights_step,
        "steps": playing.length,
        "ended": playing.ended,
        "truncated": playing.truncated,
        "judged": playing.ready.output_kind,
        "human": playing.person_acted,
        "given": playing.given,
    }


def write_arrays(path: str | Path, arrays: Arrays) -> None:
    """Write the arrays as a compressed .npz; the file appears only when it is complete. Raises OSError."""
    path = Path(path)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def steps_table(playing: PlayedEpisode | None) -> Table:
    """One row per step: action, reward, the value of each action, the entries of the observation."""
    if playing is None:
        return Table(("t", "action", "reward"))
    ready = playing.ready
    judged = [f"{ready.output_kind} of {name}" for name in playing.option_names]
    return Table(("t", "action", "reward", *judged, *ready.features), _steps(playing))


def _steps(playing: PlayedEpisode) -> Iterator[list[object]]:
    for t in range(len(playing.action)):
        name = playing.action_name(t) if playing.ready.actions else int(playing.action[t])
        yield [t, name, float(playing.reward[t]), *playing.q[t].tolist(), *playing.observation[t].tolist()]
