"""Events and commands of the training job."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from dqngui.config import Experiment
from dqngui.messages.measures import EpisodeMeasures, Measures
from dqngui.messages.message import Command, Event
from dqngui.messages.tested import CheckpointTest
from dqngui.texts import Text, words


class EpisodeEnded(Event, frozen=True, gc=False):  # a log may hold a million, and they are in no circle
    """One finished training episode, as the actor saw it.

    Attributes:
        ret: undiscounted sum of raw rewards.
        length: steps of the episode.
        truncated: ended by a time limit, so its last state still bootstraps.
        env: index of the environment.
        episode: index of the episode in that environment, from 0.
        measures: what the task says of the episode beside its return (`envs.measures`).
    """

    ret: float
    length: int
    truncated: bool = False
    env: int = 0
    episode: int = 0
    measures: Measures = msgspec.UNSET


class Learned(Event, frozen=True, gc=False):
    """Means over the updates since the last such row of the log; None if there was no update (warm-up).

    If an algorithm learns from whole rollouts, rows come only after its updates.

    Attributes:
        updates: updates since the run began.
        loss: the loss that was minimised.
        td_error: mean absolute TD error.
        q_mean: mean value of the actions that were learned.
        grad_norm: norm of the gradient before clipping.
        epsilon: present exploration rate (before the ladder); None if the policy itself explores.
        lr: present learning rate, where it changes by itself.
        seconds: wall seconds of training since the run began, without pauses and evaluations.
        policy_loss: of an actor: the negative clipped objective.
        value_error: of a critic: mean absolute difference between its values and their targets.
        entropy: mean entropy of the policy in nats.
        kl: mean KL divergence between the policy that acted and the present one.
        clip_share: share of actions whose probability ratio left the clip range.
        explained: share of the returns' variance that the critic's values explained when it acted.
        epochs: mean number of epochs over a rollout, where a KL divergence above `target_kl` stops them.
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
    lr: float | None = None
    epochs: float | None = None


class Evaluated(Event, frozen=True):
    """A greedy evaluation, on environments of its own.

    Attributes:
        returns: undiscounted return of each episode.
        mean: their mean.
        role: `selection` (finds candidates for the best checkpoint), `confirmation` (further evaluations of a candidate
            on other seeds) or `test`.
        best: these weights are now the best checkpoint.
        score: of a confirmation, the mean over all its episodes and the selection's; of the best, the mean of the last
            `reported` episodes.
        reported: number of last episodes that were not used in the choice; 0 in the logs of earlier versions, where the
            score is the mean over both evaluations that chose the checkpoint.
        tested: of the best, the result of its `reported` episodes; None in the logs of earlier versions.
        seconds: wall seconds of training when it was made, without evaluations.
        measures: what the task says of each episode beside its return, in the order of `returns`.
    """

    returns: tuple[float, ...]
    lengths: tuple[int, ...]
    mean: float
    role: Literal["selection", "confirmation", "test"] = "selection"
    best: bool = False
    score: float | None = None
    reported: int = 0
    seconds: float = 0.0
    tested: CheckpointTest | None = None
    measures: EpisodeMeasures = msgspec.UNSET

    @property
    def ranking_score(self) -> float:
        """The number that ranks checkpoints: the score if there is one, else the mean."""
        return self.mean if self.score is None else self.score


class KnobChanged(Event, frozen=True):
    """A live setting was changed. Of a schedule, `new` None means that the schedule holds again."""

    field: str
    old: Any
    new: Any


class KnobRefused(Event, frozen=True):
    """A live setting could not be changed.

    Attributes:
        kept: its present value.
        reason: why; a string in the logs of earlier versions.
    """

    field: str
    value: Any
    kept: Any
    reason: Text | str

    @property
    def words(self) -> str:
        """The reason as a sentence."""
        return words(self.reason)


class Warned(Event, frozen=True):
    """A message that the user should know; training goes on. `text` is a string in the logs of earlier versions."""

    text: Text | str

    @property
    def words(self) -> str:
        """The sentence."""
        return words(self.text)


class Noted(Event, frozen=True):
    """A message about the run that asks for nothing, for example which settings were derived from the task."""

    text: Text

    @property
    def words(self) -> str:
        """The sentence."""
        return words(self.text)


class Forked(Event, frozen=True):
    """First event of a fork: a run that continues another run, its parent, from `step` on.

    Attributes:
        parent: name of the parent's folder.
        changes: settings that differ, as `learn.lr: 0.001 → 0.0005`; strings in the logs of earlier versions.
        kept, fresh: what was copied from the parent, and what starts anew: parts of the training (`optimizer`,
            `replay`, `random generators`) and names of parameters.
        manual: values of scheduled settings that were moved by hand and stay so, by dotted name.
    """

    parent: str
    changes: tuple[Text | str, ...] = ()
    kept: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()
    manual: dict[str, float] = {}

    @property
    def changes_in_words(self) -> tuple[str, ...]:
        """Each change as it is shown."""
        return tuple(words(change) for change in self.changes)


class Breakpoint(msgspec.Struct, frozen=True):
    """A condition on which training pauses.

    Attributes:
        quantity: a number of `Learned` (`loss`, `td_error`, …), `return` (mean of the last 20 training episodes),
            `evaluation` (mean of a selection), or a number that only the window measures (`attention_entropy`,
            `memory_saturation`).
        is_: `nan` also means infinite.
    """

    quantity: str
    is_: Literal["above", "below", "nan"]
    value: float = 0.0


class BreakpointsSet(Event, frozen=True):
    """These breakpoints are watched from here on. Replaying the log sets them at the same steps."""

    points: tuple[Breakpoint, ...]


class BreakpointHit(Event, frozen=True):
    """A breakpoint's condition has become true; training pauses here and `Paused` follows."""

    point: Breakpoint
    value: float


class Failed(Event, frozen=True):
    """The job ended with an error.

    Attributes:
        text: one clear sentence.
        details: a traceback for diagnostics.
        mistake: the request cannot be carried out; it is not a fault of the program.
    """

    logged = False
    text: Text | str
    details: str = ""
    mistake: bool = False

    @property
    def words(self) -> str:
        """The sentence."""
        return words(self.text)


class Finished(Event, frozen=True):
    """The job's last event.

    Attributes:
        best: mean return of the evaluation that is reported of the best checkpoint (`learning.best`).
        tested: the same with its interval, and what chose the checkpoint; None without such an evaluation.
    """

    logged = False
    seconds: float
    steps_per_second: float
    reason: Literal["completed", "solved", "stopped", "failed"]
    best: float | None = None
    tested: CheckpointTest | None = None


class Opened(Event, frozen=True):
    """The job is ready to train (not logged).

    Attributes:
        experiment: with all settings.
        device: the device in use.
        parameters: number of parameters of the network that learns.
        observation: names and shapes of the observation's parts.
        actions: number of actions.
    """

    logged = False
    folder: str | None
    experiment: Experiment
    device: str
    parameters: int
    observation: str = ""
    actions: int = 0


class WriterBegan(Event, frozen=True):
    """A process has become the writer of a run (not logged, and told to those who watch it from elsewhere alone).

    Attributes:
        writer: the id to which commands are addressed.
        log_bytes: length of the log at that moment.
    """

    logged = False
    writer: str
    log_bytes: int = 0


class RunResumed(Event, frozen=True, rename={"lost_changes": "lost_tweaks"}):  # its name in printed JSON
    """The run continues from its last saved state (not logged), and what came after that state is lost.

    Attributes:
        lost_steps: environment steps after that state, which are made again.
        lost_changes: changes of live settings in these steps.
    """

    logged = False
    lost_steps: int
    lost_changes: tuple[Text | str, ...] = ()

    @property
    def lost_changes_in_words(self) -> tuple[str, ...]:
        """Each lost change as it is shown."""
        return tuple(words(change) for change in self.lost_changes)


class Paused(Event, frozen=True):
    """Training waits for commands (not logged)."""

    logged = False


class Unpaused(Event, frozen=True):
    """Training continues after a pause (not logged)."""

    logged = False


class Advanced(Event, frozen=True, gc=False):
    """The job still works, and nothing else happened for a while (not logged).

    Attributes:
        evaluation_steps: steps of the greedy episodes that are played now; None while the run trains.
    """

    logged = False
    evaluation_steps: int | None = None


class CheckpointSaved(Event, frozen=True):
    """Weights and resume state are on disk (not logged). `seconds` is how long training waited for it."""

    logged = False
    seconds: float
    best: bool = False


class Weights(Event, frozen=True):
    """Cloned network weights, by parameter name (not logged, only the newest matters)."""

    logged = False
    tensors: dict[str, Any]


class Pause(Command, frozen=True):
    """Pause before the next vector step."""


class Resume(Command, frozen=True):
    """Continue after a pause."""


class Step(Command, frozen=True):
    """Continue until the next vector step, update or end of environment 0's episode, then pause again."""

    until: Literal["step", "update", "episode"] = "step"


class Stop(Command, frozen=True):
    """Save the run and end it."""


class SetKnob(Command, frozen=True):
    """Change a live setting, for example `learn.lr`; the value None restores a schedule."""

    field: str
    value: Any


class SendWeights(Command, frozen=True):
    """Answer with `Weights` at the next update boundary."""


class SaveCheckpoint(Command, frozen=True):
    """Save a checkpoint now."""


class SetBreakpoints(Command, frozen=True):
    """To training: pause with `BreakpointHit` when one of these becomes true; they replace those that were set before.

    Breakpoints belong to the session that set them, not to the experiment: they are not saved, and a resumed run has
    none until they are set again.
    """

    points: tuple[Breakpoint, ...]
