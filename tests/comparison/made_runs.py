"""Makes run folders with chosen settings and learning curves, without training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from dqngui.config import Experiment
from dqngui.messages import EpisodeEnded, Evaluated, Event, Learned, encode
from dqngui.runs.folder import create
from dqngui.settings import with_settings


def made_run(
    runs: Path, curve: Sequence[float], seed: int = 0, every: int = 100, extra: Iterable[Event] = (), **settings: Any
) -> Path:
    """The folder of a run whose evaluations have these means, each after `every` further steps.

    Args:
        settings: by dotted name with `__` for the dot, such as `net__memory="gru"`.
    """
    changes = {name.replace("__", "."): value for name, value in settings.items()}
    title = changes.pop("title", "")
    experiment = with_settings(Experiment(title=title), {"run.seed": seed, **changes})
    events: list[Event] = []
    for number, mean in enumerate(curve, 1):
        step = number * every
        events += [
            EpisodeEnded(step=step - every // 2, ret=mean - 1, length=every // 2),
            EpisodeEnded(step=step, ret=mean + 1, length=every // 2),
            Learned(step=step, updates=step // 10, seconds=step / 50),
            Evaluated(step=step, returns=(mean - 2, mean + 2), lengths=(1, 1), mean=mean),
        ]
    folder = create(runs, experiment)
    write_log(folder, [*events, *extra])
    return folder


def write_log(folder: Path, events: Iterable[Event]) -> None:
    (folder / "events.jsonl").write_bytes(b"".join(encode(event) + b"\n" for event in events))
