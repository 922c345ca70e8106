"""A model of the action values at one step, with their texts. It needs no widget and no screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dqngui.gui.charts.layout.axis import value_text
from dqngui.gui.charts.value_ranges import bar_range
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.texts.numbers import measured

ACTORS = {
    "person": "by hand",
    "idle": "because no key was held",
    "agent": "by the agent, because no key was held",
    "record": "as recorded, although not greedy",
    "chance": "at random",
}
"""Texts for who chose an action, if that needs an explanation."""


NOT_LEGAL = "not legal"
"""The text in place of the value of an action that is not legal."""


@dataclass(frozen=True, slots=True)
class ActionValues:
    """The actions of one step, with their values or their probabilities.

    Attributes:
        names, values, texts: name, value and text of the value of each action.
        chosen: index of the action taken; None after the end of the episode.
        options: of several choices at once, the indices of the options taken, one a choice; `chosen` is the first one.
        actor: who chose it, a key of `ACTORS`; empty: the agent, greedily.
        explores: whether some actions of the episode are not greedy.
        judged: what the values are: `value` or `probability`.
        limits: the values at both ends of the bars.
        keys: key of each action; empty while no person drives.
        legal: whether each action is legal; empty if the environment does not tell.
    """

    names: tuple[str, ...] = ()
    values: tuple[float, ...] = ()
    texts: tuple[str, ...] = ()
    chosen: int | None = None
    options: tuple[int, ...] = ()
    actor: str = ""
    explores: bool = False
    judged: str = "value"
    limits: tuple[float, float] = (0.0, 1.0)
    keys: tuple[str, ...] = ()
    legal: tuple[bool, ...] = ()

    def taken(self, index: int) -> bool:
        """Whether an action, or an option, was taken."""
        return index == self.chosen or index in self.options

    def allows(self, index: int) -> bool:
        """Whether an action is legal."""
        return not self.legal or self.legal[index]

    @property
    def described(self) -> str:
        """A text about the action taken; empty if there is none."""
        if self.chosen is None:
            return ""
        if self.options:
            return ", ".join(f"{self.names[index]}" for index in self.options)
        how = f"taken {ACTORS[self.actor]}" if self.actor else "taken"
        value = self.texts[self.chosen]
        return f"{self.names[self.chosen]} {how}, {f'{self.judged} {value}' if self.allows(self.chosen) else value}"

    @property
    def tip(self) -> str:
        """The tooltip: what the bars mean."""
        about = "A die marks an action taken at random instead of the best one. " if self.actor == "chance" else ""
        if self.actor and not about:
            about = f"{self.described[:1].upper()}{self.described[1:]}. "
        what = "Value of each action: the expected discounted return after it."
        if self.judged == "probability":
            what = "Probability of each action. Training samples from it; here the most probable one is taken."
        low, high = self.limits
        if self.legal:
            about += "The environment tells which actions are legal; the agent chooses among these only. "
        return f"{what} {about}Bars from {measured(low)} to {measured(high)}."


def values_at(
    playing: PlayedEpisode, t: int, actor: str, limits: tuple[float, float], keys: tuple[str, ...]
) -> ActionValues:
    """The values of step t; after the last step those of the last one, without a chosen action.

    `actor`: who chose the action in a driven episode: `person`, `idle` or `agent`.
    """
    q, row = playing.legal_q, min(t, len(playing.q) - 1)
    there, taken = t < len(q), playing.taken(row)
    action = taken[0]
    legal = playing.legal_at(row if playing.ended else t)  # a person sees what is legal at the step that waits
    explores = playing.epsilon > 0 or playing.request.from_training
    if there and (row in playing.non_greedy_steps if len(taken) > 1 else q[row, action] < q[row].max()):
        if playing.request.from_training:
            actor = "record"
        elif explores and not actor:
            actor = "chance"
    return ActionValues(
        names=names_of(playing),
        values=tuple(playing.q[row].tolist()),
        texts=tuple(
            value_text(value) if not legal or legal[index] else NOT_LEGAL for index, value in enumerate(playing.q[row])
        ),
        chosen=action if there else None,
        options=taken if there and len(taken) > 1 else (),
        actor=actor,
        explores=explores,
        judged=playing.ready.output_kind,
        limits=limits,
        keys=keys,
        legal=legal,
    )


def names_of(playing: PlayedEpisode) -> tuple[str, ...]:
    """Names of the actions, or numbers if the environment has no names."""
    count, known = playing.q.shape[1], playing.option_names
    return tuple(known) if len(known) == count else tuple(f"action {index}" for index in range(count))


def limits_of(q: npt.NDArray[Any], judged: str) -> tuple[float, float]:
    """Ends of the bars for all known values of an episode (steps, actions); 0 and 1 for probabilities."""
    finite = q[np.isfinite(q)]
    return bar_range(float(finite.min()), float(finite.max())) if finite.size and judged == "value" else (0.0, 1.0)
