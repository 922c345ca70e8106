"""Which actions are allowed now, and where a fork would begin. Adds rules to the table of states."""

from __future__ import annotations

from dataclasses import dataclass

from dqngui.lab.session.draft import Changes, Draft
from dqngui.lab.session.run import RunState
from dqngui.lab.session.states import ALLOWED, Action, State
from dqngui.texts import Text, say

NEEDS_TORCH = frozenset({Action.START, Action.RESUME_RUN, Action.TRAIN_ON, Action.FORK, Action.START_DRAFT})
NEEDS_TASK = frozenset({Action.START, Action.FORK, Action.START_DRAFT})
"""Actions before which an environment that nobody knows is tried; a run that is resumed has trained in its own."""
_NEEDS_WHOLE_LOG = frozenset({Action.RESUME_RUN, Action.TRAIN_ON, Action.FORK, Action.START_DRAFT})
_NEEDS_FITTING_DRAFT = frozenset({Action.START, Action.FORK, Action.START_DRAFT})


@dataclass(frozen=True, slots=True)
class ForkPlan:
    """The plan for a fork.

    Attributes:
        step: the present step of a run that trains, else the step of its saved state.
        problem: why no fork is possible; empty if one is.
    """

    step: int
    problem: Text | str = ""


def fork_plan(run: RunState, draft: Draft, *, trains: bool) -> ForkPlan:
    """The plan for a fork of the run with the draft's experiment; `trains`: the run has a job."""
    step = run.step if trains or run.checkpoint is None else run.checkpoint
    total = draft.experiment.run.total_steps
    problem: Text | str = ""
    if run.folder is None:
        problem = say("fork.no_files")
    elif not trains and not run.saved:
        problem = say("fork.never_saved")
    elif not trains and total <= step:
        problem = say("fork.complete", total=total)
    return ForkPlan(step, problem)


def allowed_actions(
    state: State, run: RunState, draft: Draft, *, trains: bool, reading: bool, waiting: bool
) -> frozenset[Action]:
    """The allowed actions. `reading`: the log is being read; `waiting`: an action waits (see `WaitingAction`)."""
    actions = ALLOWED[state]
    if draft.problem:
        actions -= _NEEDS_FITTING_DRAFT
    if waiting:
        actions -= NEEDS_TORCH
    if reading:
        actions -= _NEEDS_WHOLE_LOG
    if not run.knobs.can_undo:
        actions -= {Action.UNDO_KNOB}
    if Action.RESUME_RUN in actions and (not run.resumable or run.complete):
        actions -= {Action.RESUME_RUN}
    if not (run.resumable and (run.complete or state is State.FINISHED)):
        actions -= {Action.TRAIN_ON}
    if Action.FORK in actions and fork_plan(run, draft, trains=trains).problem:
        actions -= {Action.FORK}
    if not draft.changes:
        actions -= {Action.START_DRAFT, Action.DISCARD_DRAFT}
    return actions


def waiting_edits(state: State, draft: Draft) -> Changes:
    """The edits that wait for a fork or a new run; before a run there are none, since edits apply at once."""
    return {} if state is State.READY else draft.changes


def why_not(action: Action, state: State, plan: ForkPlan) -> Text | str:
    """Why a stored run cannot be resumed or forked; to be asked where the action is not allowed."""
    if action is Action.FORK and plan.problem:
        return plan.problem
    return say("resume.finished") if state is State.FINISHED else say("resume.impossible")
