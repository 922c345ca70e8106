"""Events and commands of the studying job: questions that are answered from many episodes of an agent."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from dqngui.messages.message import Command, Event
from dqngui.messages.playing import View
from dqngui.texts import Text, words


class StudyReady(Event, frozen=True):
    """The study has opened an agent (not logged), trained for `step` steps.

    Attributes:
        views: everything that can be recorded of it.
        held: names of the views that a probe can read: what its memory carries from step to step.
        facts: what can be probed: the environment's hidden facts, and `time since start`.
    """

    logged = False
    views: tuple[View, ...] = ()
    held: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()


class Progress(Event, frozen=True):
    """How much of question `number` the study has done: `share`, from 0 to 1 (not logged)."""

    logged = False
    number: int
    share: float
    text: Text | str = ""

    @property
    def words(self) -> str:
        """What is being done, as it is shown."""
        return words(self.text)


class Effect(msgspec.Struct, frozen=True):
    """The effect of removing places from a map: means over steps with 95 % intervals (bootstrap over episodes).

    Attributes:
        change: mean absolute change of the action values, in units of their spread over the agent's steps.
        changed_actions: share of steps at which the greedy action changes to another one.
    """

    change: float
    change_interval: tuple[float, float]
    changed_actions: float
    changed_actions_interval: tuple[float, float]


class Faithfulness(Event, frozen=True):
    """The answer to `AskFaithfulness` (not logged).

    Attributes:
        top, random: effects of removing the k places with the largest weights, and k random ones.
        difference: of `change`, top − random, paired by step, with its interval.
        steps, episodes: how many were measured.
        concentration: how much more the k places weigh than with even weights: 0 (all weights are equal) to 1 (only
            these have weight).
        explains: the map explains the agent: it is concentrated enough to point at something, and the difference is
            large enough to matter, with an interval above zero.
    """

    logged = False
    number: int
    view: str
    k: int
    top: Effect
    random: Effect
    difference: float
    difference_interval: tuple[float, float]
    steps: int
    episodes: int
    explains: bool
    concentration: float = 1.0


Interval = tuple[float, float] | None
"""A 95 % interval; None where there are too few values for one."""


class Held(msgspec.Struct, frozen=True):
    """How well the memory holds a fact, in the steps that count.

    Attributes:
        decisive: these are the steps where the choice matters; else all steps at which the observation alone does not
            show the fact.
        episodes: number of episodes with such steps.
        score, score_interval: with noise of `Probed.noise`, over episodes.
        untrained: mean score of the untrained networks; `untrained_range` their lowest and highest.
        difference, difference_interval: score − untrained; the interval includes the spread over episodes and that of a
            new untrained network.
        observation, control, chance: scores of the present observation alone, the control task, and guessing.
        base_score, base_interval, base_untrained, base_control: with the least noise, 5 %.
    """

    decisive: bool
    episodes: int
    score: float
    score_interval: Interval
    untrained: float
    untrained_range: tuple[float, float]
    difference: float
    difference_interval: Interval
    observation: float
    control: float
    chance: float
    base_score: float
    base_interval: Interval
    base_untrained: float
    base_control: float


class Moved(msgspec.Struct, frozen=True):
    """What the actions do when the memory is moved to another value of the fact, at the steps where the choice matters.

    Attributes:
        effect: share of these steps at which the greedy action becomes that of the other value.
        random: the same with random directions of equal length; `random_interval` of effect − random.
        untrained: the same of untrained networks, mean; `untrained_interval` of effect − untrained.
        steps, episodes: how many were measured.
        gap: mean difference of the two best action values there, in units of the action values' spread.
    """

    effect: float
    effect_interval: Interval
    random: float
    random_interval: Interval
    untrained: float
    untrained_interval: Interval
    steps: int
    episodes: int
    gap: float


class Probed(Event, frozen=True):
    """The answer to `AskProbe` (not logged), for each step of the episode.

    Attributes:
        measure: `accuracy` of a fact with few values, else `R²`; both cross-validated over episodes.
        chance: the score of a guess without the memory: the share of the most frequent value, or 0.
        tensors: by name, (n,) each: `t` steps; `score` of the memory, its `low` and `high`; `untrained`,
            `untrained_low`, `untrained_high`: mean, lowest and highest score of untrained networks that read the same
            episodes; `observation`: of the present observation alone; `control`: of random labels that the probe may
            memorise (Hewitt and Liang 2019); `count`: number of episodes that were that long; `decisive`: share of
            them for which the choice matters at this step.
        noise: standard deviation of the noise, as a share of the root mean square of the whole state.
        held: None if the fact is the same in all episodes, or shown by the observation at every step.
        moved: None if nothing could be moved, with the reason in `not_moved`.
    """

    logged = False
    number: int
    fact: str
    measure: Literal["accuracy", "R²"]
    chance: float
    tensors: dict[str, Any]
    noise: float = 0.05
    held: Held | None = None
    moved: Moved | None = None
    not_moved: Literal["", "constant", "shown", "stake"] = ""


class OverTraining(Event, frozen=True):
    """One row of the answer to `AskOverTraining` (not logged), of the checkpoint at `step`.

    Attributes:
        entropy: of each view of weights, by head: mean entropy as a share of the largest possible one.
        distance: of each view over past steps (`lag`), by head: mean number of steps between now and what is attended
            to.
        last: no further rows follow.
    """

    logged = False
    number: int
    entropy: dict[str, tuple[float, ...]]
    distance: dict[str, tuple[float, ...]] = {}
    last: bool = False


class Unanswered(Event, frozen=True):
    """Question `number` cannot be answered, with the reason (not logged)."""

    logged = False
    number: int
    text: Text | str

    @property
    def words(self) -> str:
        """The reason as a sentence."""
        return words(self.text)


class Abandon(Command, frozen=True):
    """To the study: stop answering question `number`. No further answer follows."""

    number: int


class AskFaithfulness(Command, frozen=True):
    """To the study: does this map explain this agent? It answers `Progress`, then `Faithfulness`, or `Unanswered`.

    Attributes:
        number: identifies the question in the answers; a newer question ends the older one.
        view: a view of weights; places along its last axis are removed (tokens, slots, past steps).
        k: how many places are removed: those with the largest weights, averaged over the other axes.
        episodes: number of greedy episodes, on the study's own seeds.
        draws: number of random choices of k places with which the removal is compared at every step.
    """

    number: int
    view: str
    k: int = 1
    episodes: int = 16
    draws: int = 8


class AskProbe(Command, frozen=True):
    """To the study: how well can this fact be read linearly from the memory? It answers `Progress`, then `Probed`.

    Attributes:
        fact: one of `StudyReady.facts`.
        views: which of `StudyReady.held` are read; () for all of them together.
    """

    number: int
    fact: str
    views: tuple[str, ...] = ()
    episodes: int = 200


class AskOverTraining(Command, frozen=True):
    """To the study: how did attention change over training? It answers one `OverTraining` for each checkpoint.

    Attributes:
        episodes: number that each stored checkpoint plays, with the same seeds.
    """

    number: int
    episodes: int = 2
