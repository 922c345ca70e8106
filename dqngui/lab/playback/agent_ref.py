"""References to agents that can play, and the choice of their weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dqngui.config import Experiment
from dqngui.presets import demo_folder
from dqngui.runs.checkpoints import BEST, FOLDER, checkpoints

WeightsChoice = Literal["newest", "best", "last"] | int
"""A choice of weights: the newest of a running training, the best or last checkpoint, or the checkpoint of a step."""


@dataclass(frozen=True, slots=True)
class AgentRef:
    """A reference to an agent: one in training, or one with stored weights.

    Attributes:
        experiment: experiment of a run in training; its newest weights come through `use_weights`.
        folder: folder of a run with stored weights.
        name: text shown instead of the choice of weights (`demo`).
    """

    experiment: Experiment | None = None
    folder: Path | None = None
    name: str = ""

    def choices(self) -> list[WeightsChoice]:
        """The weights that exist now; reads the folder."""
        offered: list[WeightsChoice] = ["newest"] if self.experiment is not None else []
        if self.folder is not None and has_checkpoint(self.folder):
            offered += ["best", "last", *checkpoints(self.folder)]
        return offered


def demo_run() -> Path | None:
    """Folder of the shipped demo run; None if it is missing."""
    folder = demo_folder()
    return folder if has_checkpoint(folder) else None


def has_checkpoint(folder: Path) -> bool:
    """Whether the run has stored weights."""
    return (folder / FOLDER / BEST).exists() or bool(checkpoints(folder))


def source_name(choice: WeightsChoice) -> str:
    """The name of a choice of weights."""
    if isinstance(choice, int):
        return f"checkpoint {choice:,}"
    return {"newest": "newest weights", "best": "best checkpoint", "last": "last checkpoint"}[choice]
