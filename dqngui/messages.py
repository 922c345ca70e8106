"""Every event and command that crosses a thread, a process or a machine.

Events tell what happened, commands ask for something. Both are frozen and carry only plain data,
so each has one line of JSON. `step` counts environment steps since the run began.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import msgspec

from dqngui.config import Experiment

CLOCK_FIELDS = frozenset({"seconds", "steps_per_second", "updates_per_second"})
"""Fields that depend on the clock: the only ones in which the logs of equal runs may differ."""


class Event(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Base of all events. `logged` says whether the recorder writes it to the run's log."""

    logged = True
    step: int


class EpisodeEnded(Event, frozen=True):
    """One finished training episode, as the actor saw it.

    Attributes:
        ret: undiscounted sum of raw rewards.
        length: steps of the episode.
        truncated: ended by a time limit, so its last state still bootstraps.
        env, episode: which environment, and its how-manieth episode (from 0).
    """

    ret: float
    length: int
    truncated: bool = False
    env: int = 0
    episode: int = 0


class Learned(Event, frozen=True):
    """Means over the updates since the last row; None where there was none (warm-up, NaN-free otherwise).

    Attributes:
        updates: updates since the run began.
        loss: the loss that was minimised.
        td_error: mean absolute TD error.
        q_mean: mean value of the learned actions.
        grad_norm: norm of the gradient before clipping.
        epsilon: present exploration rate (before the ladder).
        seconds: wall seconds of training since the run began, pauses and evaluations left out.
    """

    updates: int
    loss: float | None = None
    td_error: float | None = None
    q_mean: float | None = None
    grad_norm: float | None = None
    epsilon: float = 0.0
    steps_per_second: float = 0.0
    updates_per_second: float = 0.0
    seconds: float = 0.0


class Evaluated(Event, frozen=True):
    """A greedy evaluation on environments of its own.

    Attributes:
        returns: undiscounted return of each episode.
        mean: their mean.
        role: `selection` (chooses the best checkpoint), `confirmation` (a second, disjoint one) or `test`.
        best: these weights are now the best checkpoint.
        score: of a confirmation, the mean over both evaluations: what the best checkpoint is chosen by.
        seconds: wall seconds of training when it was made, evaluations left out.
    """

    returns: tuple[float, ...]
    lengths: tuple[int, ...]
    mean: float
    role: Literal["selection", "confirmation", "test"] = "selection"
    best: bool = False
    score: float | None = None
    seconds: float = 0.0


class KnobChanged(Event, frozen=True):
    """A live setting took effect. For a schedule `new` None means: back on the schedule."""

    field: str
    old: Any
    new: Any


class KnobRefused(Event, frozen=True):
    """A live setting was not changed, and why; `kept` is its present value."""

    field: str
    value: Any
    kept: Any
    reason: str


class Warned(Event, frozen=True):
    """Something the user should know; training goes on."""

    text: str


class Failed(Event, frozen=True):
    """The job ended by an error.

    Attributes:
        text: one clear sentence.
        details: a traceback for diagnostics.
        mistake: it was asked for something that cannot be done, so no fault of the program.
    """

    logged = False
    text: str
    details: str = ""
    mistake: bool = False


class Finished(Event, frozen=True):
    """The job's last event."""

    logged = False
    seconds: float
    steps_per_second: float
    reason: Literal["completed", "solved", "stopped", "failed"]
    best: float | None = None


class Opened(Event, frozen=True):
    """The job is ready to train (not logged).

    Attributes:
        experiment: complete.
        device: the one in use.
        parameters: their number.
    """

    logged = False
    folder: str | None
    experiment: Experiment
    device: str
    parameters: int
    observation: str = ""
    actions: int = 0


class RunResumed(Event, frozen=True):
    """The run goes on from its last checkpoint (not logged), after losing what came behind it."""

    logged = False
    lost_steps: int
    lost_tweaks: tuple[str, ...] = ()


class Paused(Event, frozen=True):
    """Training waits for commands (not logged)."""

    logged = False


class Unpaused(Event, frozen=True):
    """Training goes on (not logged)."""

    logged = False


class CheckpointSaved(Event, frozen=True):
    """Weights and resume state are on disk (not logged). `seconds` is how long training stood still for it."""

    logged = False
    seconds: float
    best: bool = False


class Weights(Event, frozen=True):
    """Cloned network weights, by parameter name (not logged, only the newest matters)."""

    logged = False
    tensors: dict[str, Any]


LOGGED_EVENTS = EpisodeEnded | Learned | Evaluated | KnobChanged | KnobRefused | Warned
ALL_EVENTS = (
    EpisodeEnded | Learned | Evaluated | KnobChanged | KnobRefused | Warned
    | Failed | Finished | Opened | RunResumed | Paused | Unpaused | CheckpointSaved
)  # fmt: skip


class Command(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Base of all commands. `at` delays a command until the run has made so many steps."""

    at: int | None = None


class Pause(Command, frozen=True):
    """Wait from the next vector step on."""


class Resume(Command, frozen=True):
    """Go on after a pause."""


class Step(Command, frozen=True):
    """Go on until the next vector step, update or end of environment 0's episode, then pause again."""

    until: Literal["step", "update", "episode"] = "step"


class Stop(Command, frozen=True):
    """Save, then end."""


class SetKnob(Command, frozen=True):
    """Change a live setting, for example `learn.lr`; None puts a schedule back."""

    field: str
    value: Any


class SendWeights(Command, frozen=True):
    """Answer with `Weights` at the next boundary."""


class SaveCheckpoint(Command, frozen=True):
    """Save a checkpoint now."""


COMMANDS = Pause | Resume | Step | Stop | SetKnob | SendWeights | SaveCheckpoint


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a host is asked to run.

    Attributes:
        job: a name in `catalog.JOBS`.
        experiment: for a new run; None when `resume` continues the one in `folder`.
        folder: the run's folder; None keeps no files.
        resume: continue the run in `folder` from its last checkpoint.
        schedule: commands known beforehand, each with its `at`.
        options: further arguments of the job.
    """

    job: str
    experiment: Experiment | None = None
    folder: str | None = None
    resume: bool = False
    schedule: tuple[COMMANDS, ...] = ()
    options: dict[str, Any] = {}


_encoder = msgspec.json.Encoder()
_event_decoder = msgspec.json.Decoder(ALL_EVENTS)
_command_decoder = msgspec.json.Decoder(COMMANDS)


def encode(message: Event | Command) -> bytes:
    """One line of JSON, without the newline."""
    return _encoder.encode(message)


def decode_event(line: bytes) -> Event:
    """The event of one JSON line. Raises msgspec.DecodeError or ValidationError."""
    try:
        return _event_decoder.decode(line)
    except msgspec.ValidationError:
        # JSON has no NaN: an environment's NaN return was written as null.
        return msgspec.convert(_nan_for_null(msgspec.json.decode(line)), ALL_EVENTS)


def _nan_for_null(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _nan_for_null(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_nan_for_null(value) for value in data]
    return math.nan if data is None else data


def decode_command(line: bytes) -> Command:
    """The command of one JSON line. Raises msgspec.DecodeError or ValidationError."""
    return _command_decoder.decode(line)


def without_clock(event: Event) -> dict[str, Any]:
    """Plain data of an event without its clock fields, for comparing logs."""
    return {key: value for key, value in msgspec.to_builtins(event).items() if key not in CLOCK_FIELDS}
