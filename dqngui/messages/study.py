"""What is asked of many episodes of an agent at once, and the answers."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from dqngui.messages.message import Command, Event
from dqngui.messages.playing import View
from dqngui.texts import Text, words


class StudyReady(Event, frozen=True):
    """The study has an agent (not logged), trained for `step` steps.

    Attributes:
        views: everything that can be recorded of it; `held`: names of those that its memory carries from step to step.
        facts: what can be probed: the environment's hidden facts, and `time since start`.
    """

    logged = False
    views: tuple[View, ...] = ()
    held: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()


class Progress(Event, frozen=True):
    """How far the study is with question `number`, 0 … 1 (not logged)."""

    logged = False
    number: int
    share: float
    text: Text | str = ""

    @property
    def words(self) -> str:
        """What is being done, as it is shown."""
        return words(self.text)


class Effect(msgspec.Struct, frozen=True):
    """What a removal does, a mean over steps with its 95 % interval (bootstrap over episodes).

    Attributes:
        change: mean absolute change of the action values, in units of their spread over the agent's steps.
        turned: share of steps whose greedy action is another one.
    """

    change: float
    change_interval: tuple[float, float]
    turned: float
    turned_interval: tuple[float, float]


class Faithfulness(Event, frozen=True):
    """The answer to `AskFaithfulness` (not logged).

    Attributes:
        top, random: effects of removing the k places that weigh most, and k random ones.
        difference: of `change`, top − random, paired by step, with its interval.
        steps, episodes: measured.
        concentration: what the k places weigh beyond even weights, 0 (all places weigh alike) … 1 (nothing else does).
        explains: the map claims something (it is concentrated), and it is true: the difference is large enough to
            matter, and its interval lies above zero.
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


class Probed(Event, frozen=True):
    """The answer to `AskProbe` (not logged), by step of the episode.

    Attributes:
        measure: `accuracy` of a fact with few values, else `R²`; both cross-validated over episodes.
        chance: what guessing gives: the share of the commonest value, or 0.
        tensors: `t` (n,) steps, `score` (n,), its `low` and `high` (n,), and `control` (n,), the same with facts
            shuffled over the episodes, `count` (n,) episodes that were that long.
    """

    logged = False
    number: int
    fact: str
    measure: Literal["accuracy", "R²"]
    chance: float
    tensors: dict[str, Any]


class OverTraining(Event, frozen=True):
    """One checkpoint of the answer to `AskOverTraining` (not logged); `step` is the checkpoint's.

    Attributes:
        entropy: by view of weights and head: mean entropy as a share of the greatest possible one.
        distance: likewise, of views over past steps (`lag`): how far back it looks in the mean.
        last: no further rows.
    """

    logged = False
    number: int
    entropy: dict[str, tuple[float, ...]]
    distance: dict[str, tuple[float, ...]] = {}
    last: bool = False


class Unanswered(Event, frozen=True):
    """Question `number` has no answer, and why (not logged)."""

    logged = False
    number: int
    text: Text | str

    @property
    def words(self) -> str:
        """The reason as a sentence."""
        return words(self.text)


class Abandon(Command, frozen=True):
    """To the study: question `number` need not be answered any more. Nothing follows of it."""

    number: int


class AskFaithfulness(Command, frozen=True):
    """To the study: does this map explain this agent? It answers `Progress`, then `Faithfulness`, or `Unanswered`.

    Attributes:
        number: what the window calls the question; a newer question ends the older.
        view: an announced view of weights; its last axis is what is removed along (tokens, slots, past steps).
        k: how many places are removed: the k that the view weighs most, its other axes being averaged.
        episodes: greedy ones, on seeds of the study's own.
        draws: random choices of k places that the removal is compared with, at every step.
    """

    number: int
    view: str
    k: int = 1
    episodes: int = 16
    draws: int = 8


class AskProbe(Command, frozen=True):
    """To the study: how well can this fact be read from what the memory holds? It answers `Progress`, then `Probed`.

    Attributes:
        fact: one of `StudyReady.facts`.
        views: what is read, of `StudyReady.held`; () for all of them together.
    """

    number: int
    fact: str
    views: tuple[str, ...] = ()
    episodes: int = 200


class AskOverTraining(Command, frozen=True):
    """To the study: how attention changed over training. It answers `OverTraining` rows, a checkpoint each.

    Attributes:
        episodes: of each stored checkpoint, with the same seeds.
    """

    number: int
    episodes: int = 2
