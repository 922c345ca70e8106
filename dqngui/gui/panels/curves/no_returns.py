"""Why the Return card has nothing to draw, as a sentence about the open run."""

from __future__ import annotations

from dqngui.lab.session.session import Session
from dqngui.lab.session.states import State
from dqngui.texts import Text, say

_WHILE_IT_TRAINS = {
    State.STARTING: "return.starting",
    State.RUNNING: "return.training",
    State.PAUSED: "return.paused",
    State.STOPPING: "return.stopping",
}


def why_no_returns(session: Session) -> Text | None:
    """What is true of a run in which no episode has ended; None before a run."""
    state, step = session.state, session.run.step
    if state is State.READY:
        return None
    if state is State.STORED and session.log.reading:
        return say("return.reading")
    return say(_WHILE_IT_TRAINS.get(state, "return.ended"), step=step)
