"""Another agent to compare with the player's: a checkpoint of the same run, or another run."""

from __future__ import annotations

from dataclasses import dataclass

from dqngui.lab.playback.agent_ref import AgentRef, WeightsChoice
from dqngui.messages import PlayerReady


@dataclass(frozen=True, slots=True)
class OtherAgent:
    """An agent to compare with the player's.

    Attributes:
        name: short name of its curves.
        environment: its environment; empty if it is a checkpoint of the player's run.
    """

    agent: AgentRef
    choice: WeightsChoice
    name: str
    environment: str = ""

    def fits(self, agent: AgentRef, ready: PlayerReady) -> bool:
        """Whether it is a checkpoint of this agent's run, or of another run in the same environment."""
        if self.environment:
            return self.environment == ready.environment
        return self.agent.folder == agent.folder
