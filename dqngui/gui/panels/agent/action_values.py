"""The values of the actions at one step, and what is said of them: no widget, no screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dqngui.gui.charts.layout.axis import value_text
from dqngui.gui.charts.value_ranges import bar_range
from dqngui.lab.playback.episode import PlayedEpisode

ACTORS = {
    "person": "by hand",
    "idle": "as no key was down",
    "agent": "by the agent, as no key was down",
    "record": "as recorded, though another is valued more",
    "chance": "at random",
}
"""Who took an action that needs an explanation, in words."""


@dataclass(frozen=True, slots=True)
class ActionValues:
    """The actions of one step, with their values or their probabilities.

    Attributes:
        names, values, texts: of each action; the texts are the values as they are written.
        chosen: index of the action that was taken; None: none was, the episode is over.
        actor: who took it, one of `ACTORS`; empty: the agent, and it is the action of the highest value.
        explores: some actions of the episode are not those of the highest value.
        judged: what the values are.
        limits: the values at both ends of the bars.
        keys: the key that does each action; empty while nobody drives.
    """

    names: tuple[str, ...] = ()
    values: tuple[float, ...] = ()
    texts: tuple[str, ...] = ()
    chosen: int | None = None
    actor: str = ""
    explores: bool = False
    judged: str = "value"
    limits: tuple[float, float] = (0.0, 1.0)
    keys: tuple[str, ...] = ()

    @property
    def described(self) -> str:
        """The action that was taken, in words; empty where none was."""
        if self.chosen is None:
            return ""
        how = f"taken {ACTORS[self.actor]}" if self.actor else "taken"
        return f"{self.names[self.chosen]} {how}, {self.judged} {self.texts[self.chosen]}"

    @property
    def tip(self) -> str:
        """What the bars mean, in a few sentences."""
        about = "A dice marks an action taken at random instead of the best one. " if self.actor == "chance" else ""
        if self.actor and not about:
            about = f"{self.described[:1].upper()}{self.described[1:]}. "
        what = "Value of each action: the return still expected after it."
        if self.judged == "probability":
            what = "Probability of each action: how the policy chooses while it learns; here the likeliest is taken."
        low, high = self.limits
        return f"{what} {about}Bars from {low:.4g} to {high:.4g}."


def values_at(
    playing: PlayedEpisode, t: int, actor: str, limits: tuple[float, float], keys: tuple[str, ...]
) -> ActionValues:
    """The values of step t; after the last step, those of the last one, with nothing chosen.

    `actor` is who took the action of an episode that a person drives: `person`, `idle` or `agent`.
    """
    q, row = playing.q, min(t, len(playing.q) - 1)
    there, action = t < len(q), int(playing.action[row])
    explores = playing.epsilon > 0 or playing.request.from_training
    if there and action != int(np.argmax(q[row])):
        if playing.request.from_training:
            actor = "record"
        elif explores and not actor:
            actor = "chance"
    return ActionValues(
        names=names_of(playing),
        values=tuple(q[row].tolist()),
        texts=tuple(value_text(value) for value in q[row]),
        chosen=action if there else None,
        actor=actor,
        explores=explores,
        judged=playing.ready.output_kind,
        limits=limits,
        keys=keys,
    )


def names_of(playing: PlayedEpisode) -> tuple[str, ...]:
    """Names of the actions, or their numbers where the environment has no names."""
    count, known = playing.q.shape[1], playing.ready.actions
    return tuple(known) if len(known) == count else tuple(f"action {index}" for index in range(count))


def limits_of(q: npt.NDArray[Any], judged: str) -> tuple[float, float]:
    """Ends of the bars for all values known of an episode (steps, actions); probabilities lie between 0 and 1."""
    finite = q[np.isfinite(q)]
    return bar_range(float(finite.min()), float(finite.max())) if finite.size and judged == "value" else (0.0, 1.0)
