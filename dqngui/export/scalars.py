"""A run's log as rows of scalars and as notes: the one place that says what an exported number is called.

| name | what |
|---|---|
| `rollout/return`, `rollout/length` | of each training episode, at the step of its end |
| `rollout/NAME`, `eval/NAME`, `test/NAME` | a measure that the task names (`envs.measures`), as `eval/success` |
| `eval/mean`, `eval/length` | of each greedy evaluation that makes the learning curve, mean over its episodes |
| `eval/confirmation` | mean return of the further evaluation of a candidate for the best checkpoint |
| `eval/best` | mean return of the best checkpoint from here on, over episodes that did not choose it |
| `test/mean` | mean return of a test |
| `train/NAME` | means over the updates since the row before: `loss`, `td_error`, `q_mean`, `epsilon`, `lr`, … |
| `train/updates` | updates since the run began |
| `time/seconds` | wall seconds of training since the run began, without pauses and evaluations |
| `time/steps_per_second`, `time/updates_per_second` | speed |
| `knob/SETTING` | the new value of a live setting that was changed while the run trained |

`step` is always the number of environment steps since the run began.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from dqngui.comparison.setting_words import label_of, value_text
from dqngui.messages import (
    BreakpointHit,
    EpisodeEnded,
    Evaluated,
    Event,
    Forked,
    KnobChanged,
    KnobRefused,
    Learned,
    Noted,
    Warned,
)
from dqngui.messages.measures import averages, known
from dqngui.statistics import mean_of
from dqngui.texts import Text, say, words
from dqngui.texts.plain import plain_line

LONGEST_NOTE = 2000  # characters
_TRAIN = {
    "loss": "loss", "td_error": "td_error", "q_mean": "q_mean", "grad_norm": "grad_norm", "epsilon": "epsilon",
    "lr": "lr", "policy_loss": "policy_loss", "value_error": "value_error", "entropy": "entropy", "kl": "kl",
    "clip_share": "clip_share", "explained": "explained_variance", "epochs": "epochs",
}  # fmt: skip
"""Fields of `Learned` and the names of their scalars."""


class Scalar(NamedTuple):
    """One number of a run.

    Attributes:
        step: environment steps since the run began.
        name: what it is, such as `eval/mean`.
        seconds: the run's clock at this step as far as its log tells: wall seconds of training, without pauses and
            evaluations; NaN before the log's first clock.
    """

    step: int
    name: str
    value: float
    seconds: float


class Note(NamedTuple):
    """One line about a run: a change of a live setting (`change`), a fork, a breakpoint, a warning or a note."""

    step: int
    kind: str
    text: str
    seconds: float


class ScalarReader:
    """Turns the events of one run into rows, in their order; it remembers the run's clock.

    Attributes:
        step: environment steps of the newest event.
        rows: number of scalars so far.
    """

    def __init__(self) -> None:
        self.step = 0
        self.rows = 0
        self._seconds = math.nan

    def take(self, event: Event) -> tuple[list[Scalar], list[Note]]:
        """The scalars and notes of one event; an event that says neither gives none."""
        self.step = max(self.step, event.step)
        if isinstance(event, (Learned, Evaluated)) and event.seconds > 0:
            self._seconds = event.seconds
        scalars = [Scalar(event.step, name, float(value), self._seconds) for name, value in _scalars(event).items()]
        self.rows += len(scalars)
        note = _note(event)
        return scalars, [] if note is None else [
            Note(event.step, note[0], plain_line(words(note[1]), LONGEST_NOTE), self._seconds)
        ]


def _scalars(event: Event) -> dict[str, float]:
    match event:
        case EpisodeEnded():
            found = {f"rollout/{name}": value for name, value in known(event.measures).items()}
            return found | {"rollout/return": event.ret, "rollout/length": event.length}
        case Learned():
            found = {f"train/{name}": getattr(event, field) for field, name in _TRAIN.items()}
            return {name: value for name, value in found.items() if value is not None} | {
                "train/updates": event.updates,
                "time/seconds": event.seconds,
                "time/steps_per_second": event.steps_per_second,
                "time/updates_per_second": event.updates_per_second,
            }
        case Evaluated():
            return _evaluation(event)
        case KnobChanged(new=int() | float() as new) if not isinstance(new, bool):
            return {f"knob/{event.field}": new}
    return {}


def _evaluation(event: Evaluated) -> dict[str, float]:
    found: dict[str, float] = {}
    match event.role:
        case "selection":
            found["eval/mean"] = event.mean
            if event.lengths:
                found["eval/length"] = mean_of([float(length) for length in event.lengths])
        case "confirmation":
            found["eval/confirmation"] = event.mean
            return found | _best(event)
        case "test":
            found["test/mean"] = event.mean
    place = "test" if event.role == "test" else "eval"
    said = {f"{place}/{name}": mean for name, mean in averages(event.measures).items()}
    return said | found | _best(event)


def _best(event: Evaluated) -> dict[str, float]:
    return {"eval/best": event.ranking_score} if event.best else {}


def _note(event: Event) -> tuple[str, Text | str] | None:
    """What kind of line an event is, and its words; None if it is none."""
    match event:
        case KnobChanged():
            setting = label_of(event.field) or event.field
            return "change", say("event.changed", setting=setting, old=value_text(event.old), new=value_text(event.new))
        case KnobRefused():
            setting = label_of(event.field) or event.field
            said = say("event.refused", setting=setting, value=value_text(event.value), reason=event.reason)
            return "refused", said
        case Forked():
            return "fork", say("event.forked", parent=event.parent, changes=event.changes or say("event.no_change"))
        case BreakpointHit():
            return "breakpoint", say("event.breakpoint", hit=f"{event.point.quantity} {event.value:g}")
        case Warned():
            return "warning", event.text
        case Noted():
            return "note", event.text
    return None
