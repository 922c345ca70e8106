"""The states of a run and the actions that each state allows. No other module decides this."""

from __future__ import annotations

from enum import StrEnum

from dqngui.messages import BreakpointHit, Event, Opened, Paused, Unpaused, Warned

ABOUT_NOW = (BreakpointHit, Warned)
"""Events that describe the moment only while a run trains."""


class State(StrEnum):
    READY = "ready"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FINISHED = "finished"
    FAILED = "failed"
    STORED = "stored"


class Action(StrEnum):
    EDIT = "edit"
    START = "start"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    STEP = "step_once"
    STEP_UPDATE = "step_update"
    STEP_EPISODE = "step_episode"
    STOP = "stop"
    RESUME_RUN = "resume_run"
    TRAIN_ON = "train_on"
    NEW_RUN = "new_run"
    SET_KNOB = "set_knob"
    UNDO_KNOB = "undo_knob"
    SAVE = "save"
    FORK = "fork"
    START_DRAFT = "start_draft"
    DISCARD_DRAFT = "discard_draft"
    TRUST = "trust"
    QUEUE = "queue"


_STEPS = {Action.STEP, Action.STEP_UPDATE, Action.STEP_EPISODE}
_DRAFT = {Action.EDIT, Action.DISCARD_DRAFT}
_BRANCH = _DRAFT | {Action.FORK, Action.START_DRAFT, Action.QUEUE}
_STEER = _BRANCH | {Action.NEW_RUN, Action.STOP, Action.SET_KNOB, Action.UNDO_KNOB, Action.SAVE}
_ENDED = _BRANCH | {Action.NEW_RUN}

ALLOWED: dict[State, frozenset[Action]] = {
    State.READY: frozenset({Action.EDIT, Action.START, Action.TRUST, Action.QUEUE}),
    State.STARTING: frozenset({Action.STOP} | _DRAFT),
    State.RUNNING: frozenset({Action.PAUSE} | _STEER),
    State.PAUSED: frozenset({Action.UNPAUSE} | _STEPS | _STEER),
    State.STOPPING: frozenset(_DRAFT),
    State.STOPPED: frozenset({Action.RESUME_RUN, Action.TRAIN_ON} | _ENDED),
    State.FINISHED: frozenset({Action.TRAIN_ON} | _ENDED),
    State.FAILED: frozenset({Action.RESUME_RUN} | _ENDED),
    State.STORED: frozenset({Action.RESUME_RUN, Action.TRAIN_ON, Action.TRUST} | _ENDED),
}


def after(state: State, event: Event) -> State:
    """The state of a run after an event. Stopped, failed and finished are set only after the job has ended."""
    match state, event:
        case (State.STARTING, Opened()) | (State.PAUSED, Unpaused()):
            return State.RUNNING
        case (State.RUNNING, Paused()):
            return State.PAUSED
    return state


ACTIVE = frozenset({State.STARTING, State.RUNNING, State.PAUSED, State.STOPPING})
"""The states in which a job exists."""
