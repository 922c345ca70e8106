"""Counterfactuals: an episode to compare with the player's, and how the two differ. Logic of the What if card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from dqngui import messages as m
from dqngui.lab.analysis.compare_episodes import Comparison
from dqngui.lab.analysis.interventions import InterventionEntry
from dqngui.lab.analysis.other_agent import OtherAgent
from dqngui.lab.analysis.second_player import EpisodeVariant, SecondPlayer
from dqngui.lab.analysis.table import Table
from dqngui.lab.playback.agent_ref import AgentRef, WeightsChoice
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.player import Player
from dqngui.texts import Text, say
from dqngui.texts.numbers import measured

STEPS_AFTER_CHANGE = 500  # both episodes are played to this many steps after the first changed one

Role = Literal["secondary", "value", "good", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """A request to the second player.

    Attributes:
        variants: the last one is compared; with two, the first is the episode without interventions.
        first: the first changed step; None if no step is changed because another agent plays.
        until: number of steps to play of each variant.
    """

    agent: AgentRef
    choice: WeightsChoice
    variants: tuple[EpisodeVariant, ...]
    first: int | None
    until: int
    weights: m.Weights | None = None

    def is_same(self, other: Counterfactual | None) -> bool:
        """Whether the request is the same, apart from `until`."""
        return other is not None and self.weights is other.weights and self._without_length() == other._without_length()

    def _without_length(self) -> Counterfactual:
        return replace(self, until=0, weights=None)


def by_another_agent(playing: PlayedEpisode, other: OtherAgent) -> Counterfactual:
    """A counterfactual by another agent on the same seed."""
    return Counterfactual(other.agent, other.choice, (_variant_of(playing),), None, max(playing.length, 1))


def with_interventions(
    playing: PlayedEpisode, player: Player, rows: Sequence[InterventionEntry]
) -> Counterfactual | None:
    """A counterfactual by the same agent with interventions; None if the episode has not reached the first one.

    The original is the player's own episode if its agent chose every action from the first
    changed step on. Otherwise (a training episode, or one that a person drove) the second player plays the original
    too, so that the agent chooses the actions in both.
    """
    assert player.client.agent is not None
    given = playing.length if playing.person_acted else playing.given
    first = first_step(rows) if rows else given
    if playing.length < first and not playing.ended:
        return None
    first = min(first, playing.length)
    unchanged = replace(_variant_of(playing), actions=tuple(playing.action[:first].tolist()))
    changed = replace(unchanged, interventions=tuple(each for row in rows for each in row.interventions()))
    variants = (unchanged, changed) if given > first else (changed,)
    choice = _stored(player.client.agent, player.client.choice, playing.weights_step)
    until = max(first + STEPS_AFTER_CHANGE, playing.length)
    return Counterfactual(player.client.agent, choice, variants, first, until, player.episodes.weights)


def first_step(rows: Sequence[InterventionEntry]) -> int:
    """The first changed step."""
    return min((row.first for row in rows), default=0)


def _variant_of(playing: PlayedEpisode) -> EpisodeVariant:
    return EpisodeVariant(playing.seed, playing.epsilon, playing.has_views)


def _stored(agent: AgentRef, choice: WeightsChoice, step: int) -> WeightsChoice:
    """The step of the present weights, since the best or last checkpoint may have changed meanwhile."""
    return step if choice in ("best", "last") and step in agent.choices() else choice


def verdict(
    question: Counterfactual, second_player: SecondPlayer, one: PlayedEpisode | None, compared: Comparison | None
) -> tuple[Text | str, Role]:
    """How the two episodes differ, and the role of its colour."""
    if problem := _problem(question, second_player, one):
        return problem, "bad"
    if compared is None or one is None or second_player.playing is None:
        return second_player.loading or say("player.playing"), "secondary"
    if question.first is not None and compared.differs is not None and compared.differs < question.first:
        return say("compare.not_the_same", step=compared.differs), "warn"
    going = second_player.busy and not compared.whole
    if compared.identical:
        return say("compare.identical_so_far") if going else say("compare.identical"), "good"
    if compared.diverges is None:
        key = "compare.same_actions_so_far" if going else "compare.same_actions"
        return say(key, step=compared.differs), "value"
    if one.ended and second_player.playing.ended:
        returns = [_number(each.reward.sum()) for each in (one, second_player.playing)]
        return say("compare.diverges_to", step=compared.diverges, one=returns[0], other=returns[1]), "value"
    return say("compare.diverges", step=compared.diverges), "value"


def _problem(question: Counterfactual, second_player: SecondPlayer, one: PlayedEpisode | None) -> Text | str:
    """Why no comparison is possible; empty if one is."""
    if second_player.problem:
        return second_player.problem
    other = second_player.playing
    if one is None or other is None or not other.length:
        return ""
    if question.first is not None and other.weights_step != one.weights_step:
        return say("compare.weights_gone", step=one.weights_step)
    if other.q.shape[1:] != one.q.shape[1:]:
        return say("compare.other_actions")
    return ""


def futures_table(sides: Sequence[tuple[str, PlayedEpisode | None]]) -> Table:
    """A table of both episodes, one row per step: action, reward, return so far, action values."""
    known = [(name, playing) for name, playing in sides if playing is not None and playing.length]
    header = ["t"]
    for name, playing in known:
        labels = playing.option_names or playing.labels("action", playing.q.shape[1])
        header += [f"{name} {each}" for each in ("action", "reward", "return", *(f"q {a}" for a in labels))]
    rows: list[list[object]] = []
    returns = [playing.reward.cumsum() for _, playing in known]
    for t in range(max((playing.length for _, playing in known), default=0)):
        row: list[object] = [t]
        for (_, playing), so_far in zip(known, returns, strict=True):
            row += _cells(playing, t, float(so_far[min(t, len(so_far) - 1)]))
        rows.append(row)
    return Table(header, rows)


def _cells(playing: PlayedEpisode, t: int, return_so_far: float) -> list[object]:
    """Action, reward, return and values of a step; empty cells after the end of the episode."""
    if t >= playing.length:
        return [""] * (3 + playing.q.shape[1])
    named: object = playing.action_name(t) if playing.ready.actions else int(playing.action[t])
    return [named, float(playing.reward[t]), return_so_far, *playing.q[t].tolist()]


def _number(value: float) -> str:
    return measured(value)
