"""Notes about what an environment tells beside its observation: legal actions, and measures of an episode."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dqngui.jobs.training import Training
from dqngui.messages import Noted
from dqngui.messages.measures import MOST
from dqngui.texts import say

_TOLD, _GAPS, _LEFT_OUT = "legal actions", "steps without legal actions", "measures left out"


class TaskNotes:
    """Says each once in a run.

    Attributes:
        said: what was said; it is saved with the run's state.
    """

    def __init__(self) -> None:
        self.said: set[str] = set()

    def restore(self, said: Iterable[str]) -> None:
        """Go on after what was said before a state was saved."""
        self.said = set(said)

    def saved(self) -> dict[str, list[str]]:
        """What `restore` needs, by name; nothing if nothing was said."""
        return {"legal": sorted(self.said)} if self.said else {}

    def check(self, training: Training) -> Iterator[Noted]:
        """What is to be said after a vector step, or at the start."""
        envs = training.envs
        if envs.legal_actions.mask is None and not envs.measures.left_out:
            return
        told = envs.legal_actions
        for kind, key, due in (
            (_TOLD, "train.legal", told.mask is not None),
            (_GAPS, "train.legal_gaps", told.gaps),
            (_LEFT_OUT, "train.measures", envs.measures.left_out),
        ):
            if due and kind not in self.said:
                self.said.add(kind)
                text = say(key, environment=training.experiment.env.id, most=MOST)
                yield Noted(step=training.counters.step, text=text)
