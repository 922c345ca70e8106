"""What is exported of a run besides its log: settings, labels, where and when it was made, and its final figures."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dqngui.bounded import MEGABYTE, json_data, read_file
from dqngui.comparison.groups import flat_settings
from dqngui.config import ConfigError, Experiment
from dqngui.runs.folder import EXPERIMENT, RunSummary, new_summary, read_experiment, summary_of
from dqngui.runs.labels import LABELS, LONGEST_NOTE, LONGEST_TAG, MOST_LABELS, MOST_TAGS, Labels
from dqngui.runs.started import moment
from dqngui.texts.plain import plain, plain_line

LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class ExportedRun:
    """A run as it is exported.

    Attributes:
        folder: its folder.
        name: the name of the folder, in one line of printable characters.
        id: 16 hexadecimal digits, the same at each export of this run: of its name and its settings.
        settings: every setting by its dotted name, as plain data.
        labels: title, star, tags and note that a person gave.
        began: when it was started, in seconds since 1970; 0 if that is not known.
    """

    folder: Path
    name: str
    id: str
    experiment: Experiment
    settings: dict[str, Any]
    labels: Labels
    began: float

    @property
    def title(self) -> str:
        """What a person calls the run."""
        return self.labels.title or plain_line(self.experiment.title, LONGEST_NAME) or self.name

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags, with `starred` if the run is marked."""
        return (*self.labels.tags, "starred") if self.labels.star else self.labels.tags

    def at(self, seconds: float) -> float:
        """Wall time of a moment of the run's clock, in seconds since 1970, as if it had trained without a pause."""
        return self.began + (seconds if math.isfinite(seconds) else 0.0)

    def setting_texts(self) -> dict[str, str | int | float | bool]:
        """Every setting as a value that any tracker can hold: numbers, booleans and short texts; the rest as JSON."""
        return {path: _scalar(value) for path, value in self.settings.items()}

    def summary(self) -> RunSummary:
        """The newest summary."""
        return summary_of(self.folder) or new_summary(self.experiment)

    def figures(self) -> dict[str, Any]:
        """The final figures: state, steps, seconds, and the test of the kept checkpoint with its interval."""
        summary = self.summary()
        found: dict[str, Any] = {"state": summary.state, "steps": summary.step, "seconds": summary.seconds}
        if summary.best is not None:
            found["best"] = summary.best
        if (tested := summary.tested) is not None:
            found |= {"tested/mean": tested.mean, "tested/episodes": tested.episodes}
            ends = {"tested/low": tested.low, "tested/high": tested.high}
            for name, each in tested.known_measures.items():
                found.setdefault(f"tested/{name}", each.mean)
                ends |= {f"tested/{name}/low": each.low, f"tested/{name}/high": each.high}
            found |= {name: end for name, end in ends.items() if end is not None}
        return found


def read_run(folder: Path) -> ExportedRun:
    """Read what is exported of a run besides its log. Raises ConfigError if the folder is not a run's."""
    folder = Path(folder).absolute()
    experiment = read_experiment(folder)
    name = plain_line(folder.name, LONGEST_NAME)
    try:
        stored = read_file(folder / EXPERIMENT, MEGABYTE)
    except OSError as error:
        raise ConfigError("file.unreadable", path=folder / EXPERIMENT, problem=error.strerror or str(error)) from None
    summary = summary_of(folder)
    return ExportedRun(
        folder=folder,
        name=name,
        id=hashlib.sha256(name.encode() + b"\0" + stored).hexdigest()[:16],
        experiment=experiment,
        settings=flat_settings(experiment),
        labels=_labels(folder),
        began=0.0 if summary is None else moment(summary.started),
    )


def _labels(folder: Path) -> Labels:
    """The labels of a run; those that cannot be read, or have another type than they should, are left out."""
    try:
        data = json_data(read_file(folder / LABELS, MOST_LABELS), dict)
    except (OSError, ValueError):
        return Labels()
    title, note, tags = data.get("title"), data.get("note"), data.get("tags")
    tags = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
    return Labels(
        title=plain_line(title, LONGEST_NAME) if isinstance(title, str) else "",
        star=data.get("star") is True,
        tags=tuple(dict.fromkeys(plain_line(tag, LONGEST_TAG) for tag in tags[:MOST_TAGS] if tag)),
        note=plain(note[:LONGEST_NOTE]) if isinstance(note, str) else "",
    )


def _scalar(value: Any) -> str | int | float | bool:
    if isinstance(value, (bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return plain_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), 500)
