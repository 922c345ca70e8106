"""The event of the job that suits an agent to a task."""

from __future__ import annotations

from dqngui.config import Experiment
from dqngui.messages.message import Event


class AgentSuited(Event, frozen=True):
    """The default agent for a task that was tried (not logged).

    Attributes:
        experiment: the task as it was measured, with the agent (see `defaults.default_experiment`).
    """

    logged = False
    experiment: Experiment
