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


MeterVerdict = Literal[
    "explains",
    "nothing_at_stake",
    "even",
    "not_more_than_random",
    "hardly_more_than_random",
    "same_return",
    "not_repeatable",
]
"""Whether a map explains the agent, else the first reason why that cannot be said."""


class Measured(msgspec.Struct, frozen=True):
    """A mean with its 95 % interval over episodes; None where there is none, because all episodes have the same value
    or there are too few.
    """

    value: float
    interval: tuple[float, float] | None = None


class Effect(msgspec.Struct, frozen=True):
    """The effect of removing places from a map, at the steps where the choice matters.

    Attributes:
        undone: the part of the chosen action's advantage that is lost, as a share of it: 0 nothing, 1 the action is
            worth no more than the others, above 1 less.
        changed_actions: share of these steps at which the greedy action changes to another one.
        lost: return that is lost by removing the places at one such step and playing on, in the environment's unit;
            None if the environment does not repeat itself.
    """

    undone: Measured
    changed_actions: float
    lost: Measured | None = None


class Faithfulness(Event, frozen=True):
    """The answer to `AskFaithfulness` (not logged).

    A choice matters at the steps of an episode at which at least half of its largest stake is at stake. At stake is the
    advantage of the chosen action: its value minus the mean value of the others.

    Attributes:
        verdict: whether the map explains the agent, else why that cannot be said.
        stake: mean stake at these steps, in units of the spread of the action values over all steps.
        at_stake: return that is lost by another action at one such step, in the environment's unit.
        top, random: effects of removing the k places with the largest weights, and k random ones.
        undone, lost: the differences top − random of these effects, paired by step.
        concentration: how much more the k places weigh there than with even weights: 0 (all weights are equal) to 1
            (only these have weight); `multiple` how many times their even share they weigh.
        deciding: number of steps at which the choice matters.
        steps, episodes: how many were measured.
        played: from how many steps the episodes were played on.
        tensors: means over the episodes by step of the episode, (n,) each: `t`; `stake`, and the part of it lost
            without the largest weights (`top`) and random ones (`random`), in units of the spread of the action
            values; `concentration`; `deciding`, the share of the episodes in which the choice matters at this step;
            `episodes`, their number.
    """

    logged = False
    number: int
    view: str
    k: int
    verdict: MeterVerdict
    stake: float
    top: Effect
    random: Effect
    undone: Measured
    concentration: float
    multiple: float
    deciding: int
    steps: int
    episodes: int
    head: int | None = None
    at_stake: Measured | None = None
    lost: Measured | None = None
    played: int = 0
    tensors: dict[str, Any] = {}

    @property
    def explains(self) -> bool:
        """Whether the map explains the agent."""
        return self.verdict == "explains"


Interval = tuple[float, float] | None
"""A 95 % interval; None where there are too few values for one."""


class Held(msgspec.Struct, frozen=True):
    """How well the memory holds a fact, in the steps that count.

    Attributes:
        decisive: these are the steps where the choice matters; else all steps at which the observation alone does not
            show the fact.
        episodes: number of episodes with such steps.
        score, score_interval: with noise of `Probed.noise`, over episodes.
        untrained: mean score of the untrained networks; `untrained_range` their lowest and highest; `untrained_reach`
            what one more of them may reach (upper end of its 95 % prediction interval).
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
    untrained_reach: float
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
    """What the agent does when its memory is moved to another value of the fact, where nothing else shows the fact.

    An interval has no width where all episodes have the same value.

    Attributes:
        at_choices: the numbers of steps are of those where the choice matters; else of all steps.
        steps: how many steps were moved.
        expected: at how many of them another action is the best one with the other value, in `episodes` episodes.
        effect: share of the expected ones at which the greedy action becomes that one.
        random: the same with random moves of equal length; `beyond_random` is effect − random.
        own_return, moved_return, random_return, chance_return: mean return of the same episodes, played by the agent,
            by the agent with every action chosen from the moved memory, after random moves, and with random actions.
        lost: random_return − moved_return, over episodes.
        achieved: own_return − chance_return, over episodes.
    """

    at_choices: bool
    steps: int
    expected: int
    episodes: int
    effect: Measured
    random: float
    beyond_random: Measured
    own_return: float
    moved_return: float
    random_return: float
    chance_return: float
    lost: Measured
    achieved: Measured


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
    not_moved: Literal["", "constant", "shown"] = ""


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
        head: only the weights of this head choose the places, which are removed from this head only; None: of all.
        episodes: number of greedy episodes, on the study's own seeds.
        draws: number of random choices of k places with which the removal is compared at every step.
    """

    number: int
    view: str
    k: int = 1
    head: int | None = None
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
