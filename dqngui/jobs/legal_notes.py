"""Notes about legal actions: that the environment tells them, and that it tells none at some steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dqngui.jobs.training import Training
from dqngui.messages import Noted
from dqngui.texts import say

_TOLD, _GAPS = "legal actions", "steps without legal actions"


class LegalNotes:
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
        told = training.envs.legal_actions
        if told.mask is None:
            return
        for kind, key, due in ((_TOLD, "train.legal", True), (_GAPS, "train.legal_gaps", told.gaps)):
            if due and kind not in self.said:
                self.said.add(kind)
                text = say(key, environment=training.experiment.env.id)
                yield Noted(step=training.counters.step, text=text)
