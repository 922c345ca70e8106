"""Agents that may play, and the weights of theirs that can be chosen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dqngui.config import Experiment
from dqngui.presets import demo_folder
from dqngui.runs.checkpoints import BEST, FOLDER, checkpoints

WeightsChoice = Literal["newest", "best", "last"] | int
"""Weights of an agent: the newest of a running training, the best or last checkpoint, or that of a step."""


@dataclass(frozen=True, slots=True)
class AgentRef:
    """An agent that may play: one that trains now, or one whose weights are stored.

    Attributes:
        experiment: of a run that trains now, whose newest weights come with `use_weights`.
        folder: of a run with stored weights.
        name: shown in place of the chosen weights (`demo`).
    """

    experiment: Experiment | None = None
    folder: Path | None = None
    name: str = ""

    def choices(self) -> list[WeightsChoice]:
        """The weights that it has now; looks into the folder."""
        offered: list[WeightsChoice] = ["newest"] if self.experiment is not None else []
        if self.folder is not None and has_checkpoint(self.folder):
            offered += ["best", "last", *checkpoints(self.folder)]
        return offered


def demo_run() -> Path | None:
    """Folder of the shipped trained run; None where it was not made."""
    folder = demo_folder()
    return folder if has_checkpoint(folder) else None


def has_checkpoint(folder: Path) -> bool:
    """Whether the run has stored weights."""
    return (folder / FOLDER / BEST).exists() or bool(checkpoints(folder))


def source_name(choice: WeightsChoice) -> str:
    """Words for a choice of weights."""
    if isinstance(choice, int):
        return f"checkpoint {choice:,}"
    return {"newest": "newest weights", "best": "best checkpoint", "last": "last checkpoint"}[choice]
