"""The action of a person that waits until its environment was tried, or until torch is loaded."""

from __future__ import annotations

from typing import Protocol

from dqngui.config import Experiment
from dqngui.lab.session.job import kind_of_host
from dqngui.lab.session.rules import NEEDS_TASK, NEEDS_TORCH
from dqngui.lab.session.states import Action


class TaskCheck(Protocol):
    """Tries environments that nobody knows yet."""

    def passed(self, experiment: Experiment) -> bool:
        """Whether the environment of an experiment is known to work."""

    def begin(self) -> None:
        """Try the environment of the draft; the answer is given to `Session.do_waiting`."""


class WaitingAction:
    """Holds at most one action.

    Attributes:
        check: tries environments; None: no environment is tried.
        total_steps: up to which `TRAIN_ON` trains.
        for_torch, for_task: the action that waits for torch, or for its environment to be tried; None if none does.
    """

    def __init__(self) -> None:
        self.check: TaskCheck | None = None
        self.for_torch: Action | None = None
        self.for_task: Action | None = None
        self.total_steps: int | None = None

    @property
    def action(self) -> Action | None:
        """The action that waits; None if none does."""
        return self.for_torch or self.for_task

    def begin_check(self) -> None:
        """Try the environment that an action waits for."""
        if self.for_task is not None and self.check is not None:
            self.check.begin()

    def hold(self, action: Action, experiment: Experiment, *, torch_loaded: bool) -> bool:
        """Keep an action that cannot be done yet; returns whether it waits."""
        if action in NEEDS_TASK and self.check is not None and not self.check.passed(experiment):
            self.for_task = action
        elif action in NEEDS_TORCH and not torch_loaded and kind_of_host(experiment) != "process":
            self.for_torch = action
        else:
            return False
        return True

    def take(self) -> Action | None:
        """Forget the action, and return it."""
        action = self.action
        self.for_torch = self.for_task = None
        return action
