"""Another agent that plays beside the player's: a checkpoint of the same run, or another run."""

from __future__ import annotations

from dataclasses import dataclass

from dqngui.lab.playback.agent_ref import AgentRef, WeightsChoice
from dqngui.messages import PlayerReady


@dataclass(frozen=True, slots=True)
class OtherAgent:
    """Another agent, to play beside the player's.

    Attributes:
        name: of its curves, short.
        environment: what it plays; empty: as the player's agent, whose run it is of.
    """

    agent: AgentRef
    choice: WeightsChoice
    name: str
    environment: str = ""

    def fits(self, agent: AgentRef, ready: PlayerReady) -> bool:
        """It is still a checkpoint of this agent's run, or another run of the environment that this agent plays."""
        if self.environment:
            return self.environment == ready.environment
        return self.agent.folder == agent.folder
