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


class EpisodeEnded(Event, frozen=True, gc=False):  # a log may hold a million, and they refer to nothing
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


class Learned(Event, frozen=True, gc=False):
    """Means over the updates since the last row; None where there was none (warm-up, NaN-free otherwise).

    Where an algorithm learns from whole rollouts, rows come behind its updates only.

    Attributes:
        updates: updates since the run began.
        loss: the loss that was minimised.
        td_error: mean absolute TD error.
        q_mean: mean value of the learned actions.
        grad_norm: norm of the gradient before clipping.
        epsilon: present exploration rate (before the ladder); None where the policy itself explores.
        seconds: wall seconds of training since the run began, pauses and evaluations left out.
        policy_loss: of an actor: the clipped objective, negated.
        value_error: of a critic: mean absolute difference to the returns it is taught.
        entropy: mean entropy of the policy in nats.
        kl: mean divergence of the policy from the one that acted.
        clip_share: share of actions whose probability left the clip range.
        explained: share of the returns' variance that the critic explained when it acted.
    """

    updates: int
    loss: float | None = None
    td_error: float | None = None
    q_mean: float | None = None
    grad_norm: float | None = None
    epsilon: float | None = 0.0
    steps_per_second: float = 0.0
    updates_per_second: float = 0.0
    seconds: float = 0.0
    policy_loss: float | None = None
    value_error: float | None = None
    entropy: float | None = None
    kl: float | None = None
    clip_share: float | None = None
    explained: float | None = None


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

    @property
    def judged(self) -> float:
        """What the best checkpoint is chosen by: the score where there is one, else the mean."""
        return self.mean if self.score is None else self.score


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


class View(msgspec.Struct, frozen=True):
    """What a network can record at every step, announced before anything runs.

    Attributes:
        name: path such as `memory/hidden` or `attention/self/0`.
        axes: names of the axes of one step (`unit`; `head`, `query`, `key`).
        shape: their lengths.
        signed: values lie around zero; else they are shares in 0…1.
    """

    name: str
    axes: tuple[str, ...]
    shape: tuple[int, ...]
    signed: bool = False


class PlayerReady(Event, frozen=True):
    """The player has an agent (not logged); `step` is how far its weights were trained, 0 without any yet.

    Attributes:
        views: everything that can be recorded of it.
        labels: names along an axis, by the axis' name (`query`, `key`: the tokens); axes without names are counted.
        cells: where tokens are cells of a picture: the place of the first one, rows and columns.
        judged: what the agent's numbers for the actions are: values, or probabilities.
        actions, features: names of the actions and of the observation's entries.
        fps: steps a second at normal speed.
        no_picture: why the environment draws no picture; empty if it does.
    """

    logged = False
    environment: str
    views: tuple[View, ...] = ()
    labels: dict[str, tuple[str, ...]] = {}
    cells: tuple[int, int, int] | None = None
    judged: Literal["value", "probability"] = "value"
    actions: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    fps: float = 30.0
    no_picture: str = ""


class EpisodeBegan(Event, frozen=True):
    """The player begins an episode (not logged); `step` is how far its weights were trained.

    Attributes:
        number: counts the player's episodes, as asked for.
        recorded: views come with the steps.
    """

    logged = False
    number: int
    seed: int
    epsilon: float = 0.0
    recorded: bool = True


class Played(Event, frozen=True):
    """Steps [first, first + n) of the player's episode (not logged). At step t the agent saw o_t and did a_t.

    Attributes:
        ended: no step follows the last of these; `truncated`: by a time limit.
        tensors: `q` (n, A), `action` (n,), `reward` (n,) raw, `observation` (n, F), `view/NAME` (n, *shape).
    """

    logged = False
    number: int
    first: int
    tensors: dict[str, Any]
    ended: bool = False
    truncated: bool = False


class Frame(Event, frozen=True):
    """The picture of the player's episode before step t; of t = length, after the last step (not logged).

    Attributes:
        tensors: `pixels` (H, W, 3) uint8, none where no picture could be drawn.
    """

    logged = False
    number: int
    t: int
    tensors: dict[str, Any]


class Forked(Event, frozen=True):
    """First event of a run that began as a branch of another, at `step` of that one.

    Attributes:
        parent: name of the parent's folder.
        changes: what differs, as `learn.lr: 0.001 → 0.0005`.
        kept, fresh: parts of the training (`optimizer`, `replay`, `random generators`) and parameters that were
            taken over, and that start anew.
        manual: values of scheduled settings that were moved by hand and stay so, by dotted name.
    """

    parent: str
    changes: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()
    manual: dict[str, float] = {}


ALL_EVENTS = (
    EpisodeEnded | Learned | Evaluated | KnobChanged | KnobRefused | Warned | Forked
    | Failed | Finished | Opened | RunResumed | Paused | Unpaused | CheckpointSaved | PlayerReady | EpisodeBegan
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


class OpenAgent(Command, frozen=True):
    """To the player: the agent to play from now on; it answers PlayerReady, or Failed and goes on waiting.

    Attributes:
        folder: a run whose stored weights play; None: weights come with `UseWeights`.
        experiment: needed without a folder.
        checkpoint: of the folder: `best` (the last where there is none), `last` or a step.
    """

    experiment: Experiment | None = None
    folder: str | None = None
    checkpoint: Literal["best", "last"] | int = "best"


class UseWeights(Command, frozen=True):
    """To the player: weights of its agent, trained for `step` steps; used from the next episode on."""

    step: int
    tensors: dict[str, Any]


class BeginEpisode(Command, frozen=True):
    """To the player: leave the present episode and begin one; it answers EpisodeBegan once it has weights.

    Attributes:
        number: what the window will call it.
        epsilon: share of random actions, drawn from a generator of the episode's own.
        record: give views with the steps.
    """

    number: int
    seed: int
    epsilon: float = 0.0
    record: bool = True


class Look(Command, frozen=True):
    """To the player: play episode `number` up to step `until`, and draw step t (newest Look wins).

    Attributes:
        t: the step whose `Frame` is wanted (the last one if the episode is shorter); None: no picture.
        until: steps wanted by now, more than t so that playing never waits.
        size: largest (width, height) in pixels that the picture will be drawn in.
    """

    number: int
    until: int
    t: int | None = None
    size: tuple[int, int] = (640, 480)


COMMANDS = Pause | Resume | Step | Stop | SetKnob | SendWeights | SaveCheckpoint | OpenAgent | BeginEpisode | Look


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a host is asked to run.

    Attributes:
        job: a name in `catalog.JOBS`.
        experiment: for a new run; None when `resume` continues the one in `folder`.
        folder: the run's folder; None keeps no files.
        resume: continue the run in `folder` from its last checkpoint.
        fork: folder of the run that `experiment` branches from, at its last checkpoint; `folder` is the branch's own.
        schedule: commands known beforehand, each with its `at`.
        options: further arguments of the job.
    """

    job: str
    experiment: Experiment | None = None
    folder: str | None = None
    resume: bool = False
    fork: str | None = None
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
