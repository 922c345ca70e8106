"""What a stored run achieved: its experiment, summary, evaluations, episodes and clock as numpy columns."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dqngui.config import Experiment
from dqngui.messages import EpisodeEnded, Evaluated, Event, Forked, KnobChanged, Learned
from dqngui.messages.measures import averages
from dqngui.runs.folder import RunSummary, new_summary, read_events, read_experiment, summary_of
from dqngui.texts import Text

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
SELECTION = "selection"


@dataclass(frozen=True, eq=False, slots=True)
class Evaluations:
    """The greedy evaluations of a run, in the order of its log.

    Attributes:
        step: environment steps since the run began (N,).
        mean: mean undiscounted return of each (N,); NaN where a return is.
        returns: the return of each episode, a tuple for each evaluation.
        measures: means of the task's measures of each, by name; of the best, over the episodes that did not choose it.
        role: `selection` (the learning curve), `confirmation` or `test` of each.
        best: whether its weights were the best checkpoint from then on (N,).
        score: the number that ranks checkpoints (N,); of the best, the mean of episodes that did not choose it.
    """

    step: Ints
    mean: Floats
    returns: tuple[tuple[float, ...], ...]
    role: tuple[str, ...]
    best: npt.NDArray[np.bool_]
    score: Floats
    measures: tuple[Mapping[str, float], ...]

    def of_role(self, role: str = SELECTION, measure: str = "") -> tuple[Ints, Floats]:
        """(step, mean), each (N,), of the evaluations with this role: of `selection`, the learning curve.

        `measure`: the mean of this measure instead of the return, NaN where the task does not name it.
        """
        chosen = np.array([each == role for each in self.role], dtype=bool)
        return self.step[chosen], (self.means_of(measure) if measure else self.mean)[chosen]

    def means_of(self, measure: str) -> Floats:
        """The mean of a measure in each evaluation (N,); NaN where the task does not name it."""
        return np.array([each.get(measure, math.nan) for each in self.measures], dtype=np.float64)

    @property
    def named(self) -> list[str]:
        """The measures that any evaluation has."""
        return list(dict.fromkeys(name for each in self.measures for name in each))


@dataclass(frozen=True, eq=False, slots=True)
class Episodes:
    """The training episodes of a run: step at its end, undiscounted return and length of each, (N,)."""

    step: Ints
    ret: Floats
    length: Ints


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """The clock of a run: updates and wall seconds of training (without pauses and evaluations) by step, (N,)."""

    step: Ints
    updates: Ints
    seconds: Floats


@dataclass(frozen=True, eq=False, slots=True)
class RunResult:
    """A stored run as it is compared.

    Attributes:
        folder: the run's folder.
        experiment: what was asked.
        summary: what the run browser shows.
        evaluations, episodes, rows: the columns of its log.
        changes: changes of live settings while it trained, in order.
        fork: the run's first event if it is a fork, else None; a fork's columns begin at its step.
        last_step: environment steps of its newest event.
        problem: the reason of the first damaged line, empty if there is none; `damaged`: their number.
    """

    folder: Path
    experiment: Experiment
    summary: RunSummary
    evaluations: Evaluations
    episodes: Episodes
    rows: Rows
    changes: tuple[KnobChanged, ...] = ()
    fork: Forked | None = None
    last_step: int = 0
    problem: Text | str = ""
    damaged: int = 0


def read_result(folder: Path | str, until: int | None = None) -> RunResult:
    """Read a run's folder; damaged lines of its log are passed over, and nothing is written or run.

    Args:
        until: leave out what happened after this many environment steps.

    Raises ConfigError if the folder is not a run's, or its experiment or log cannot be read.
    """
    folder = Path(folder)
    experiment = read_experiment(folder)
    summary = summary_of(folder) or new_summary(experiment)
    columns = _Columns()
    for event in read_events(folder, columns.note_damage):
        if until is None or event.step <= until:
            columns.take(event)
    return columns.result(folder, experiment, summary)


@dataclass(slots=True)
class _Columns:
    """The columns of a log while it is read, in arrays of plain numbers: a log may hold a million episodes."""

    evaluations: list[Evaluated] = field(default_factory=list)
    changes: list[KnobChanged] = field(default_factory=list)
    fork: Forked | None = None
    last_step: int = 0
    problem: Text | str = ""
    damaged: int = 0
    episode_step: array[int] = field(default_factory=lambda: array("q"))
    episode_return: array[float] = field(default_factory=lambda: array("d"))
    episode_length: array[int] = field(default_factory=lambda: array("q"))
    row_step: array[int] = field(default_factory=lambda: array("q"))
    row_updates: array[int] = field(default_factory=lambda: array("q"))
    row_seconds: array[float] = field(default_factory=lambda: array("d"))

    def note_damage(self, problem: Text) -> None:
        self.problem = self.problem or problem
        self.damaged += 1

    def take(self, event: Event) -> None:
        self.last_step = max(self.last_step, event.step)
        match event:
            case EpisodeEnded():
                self.episode_step.append(event.step)
                self.episode_return.append(event.ret)
                self.episode_length.append(event.length)
            case Learned():
                self.row_step.append(event.step)
                self.row_updates.append(event.updates)
                self.row_seconds.append(event.seconds)
            case Evaluated():
                self.evaluations.append(event)
            case KnobChanged():
                self.changes.append(event)
            case Forked():
                self.fork = event

    def result(self, folder: Path, experiment: Experiment, summary: RunSummary) -> RunResult:
        found = self.evaluations
        return RunResult(
            folder=folder,
            experiment=experiment,
            summary=summary,
            evaluations=Evaluations(
                step=np.array([each.step for each in found], dtype=np.int64),
                mean=np.array([each.mean for each in found], dtype=np.float64),
                returns=tuple(each.returns for each in found),
                role=tuple(each.role for each in found),
                best=np.array([each.best for each in found], dtype=bool),
                score=np.array([each.ranking_score for each in found], dtype=np.float64),
                measures=tuple(averages(each.measures, each.reported or None) for each in found),
            ),
            episodes=Episodes(
                np.array(self.episode_step, dtype=np.int64),
                np.array(self.episode_return, dtype=np.float64),
                np.array(self.episode_length, dtype=np.int64),
            ),
            rows=Rows(
                np.array(self.row_step, dtype=np.int64),
                np.array(self.row_updates, dtype=np.int64),
                np.array(self.row_seconds, dtype=np.float64),
            ),
            changes=tuple(self.changes),
            fork=self.fork,
            last_step=self.last_step,
            problem=self.problem,
            damaged=self.damaged,
        )
