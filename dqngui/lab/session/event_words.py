"""Events of a run as texts: a line of the log, a mark in a plot, and the short label of that mark."""

from __future__ import annotations

from dqngui.comparison.setting_words import label_of, short_name, value_text
from dqngui.jobs.breakpoints import hit_text, point_text
from dqngui.messages import BreakpointHit, Evaluated, Event, Forked, KnobChanged, KnobRefused, Noted, Warned
from dqngui.texts import Text, say

Mark = KnobChanged | Forked | BreakpointHit
"""The events that plots mark."""

_EVALUATIONS = {
    "selection": ("event.evaluation", "event.evaluation_best", "event.evaluation_of_both"),
    "confirmation": ("event.confirmation", "event.confirmation_best", "event.confirmation_of_both"),
    "test": ("event.test", "event.test_best", "event.test_of_both"),
}  # by role: keys of the mean alone, of the best one, and of one with a score


def log_text(event: Event) -> Text | str:
    """An event as the log shows it, without its step. Raises TypeError for an event that the log does not show."""
    match event:
        case KnobChanged():
            return _change(event)
        case Evaluated():
            return _evaluation(event)
        case KnobRefused():
            setting = label_of(event.field) or event.field
            return say("event.refused", setting=setting, value=value_text(event.value), reason=event.reason)
        case Forked():
            changes = event.changes or say("event.no_change")
            if event.fresh:
                return say("event.forked_fresh", parent=event.parent, changes=changes, fresh=event.fresh)
            return say("event.forked", parent=event.parent, changes=changes)
        case BreakpointHit():
            return say("event.breakpoint", hit=hit_text(event, at_step=False))
        case Warned() | Noted():
            return event.text
    raise TypeError(f"the log does not show {type(event).__name__}")


def mark_text(mark: Mark) -> Text:
    """A mark with its step: `41,200: Learning rate 1e-3 → 5e-4`, `60,000: fork of NAME with learn.lr: 1e-3 → 5e-4`."""
    match mark:
        case Forked(changes=()):
            what = say("mark.fork_unchanged", parent=mark.parent)
        case Forked():
            what = say("mark.fork", parent=mark.parent, changes=mark.changes)
        case BreakpointHit():
            what = say("mark.breakpoint", hit=hit_text(mark, at_step=False))
        case KnobChanged():
            what = _change(mark)
    return say("event.at", step=mark.step, what=what)


def mark_label(mark: Mark) -> Text:
    """The short label at the mark's line."""
    match mark:
        case BreakpointHit():
            return point_text(mark.point)
        case Forked():
            return say("mark.fork_short")
    return say("mark.changed_short", setting=short_name(mark.field), value=value_text(mark.new))


def _change(event: KnobChanged) -> Text:
    setting = label_of(event.field) or event.field
    return say("event.changed", setting=setting, old=value_text(event.old), new=value_text(event.new))


def _evaluation(event: Evaluated) -> Text:
    alone, best, of_both = _EVALUATIONS[event.role]
    mean = _number(event.mean)
    if event.score is None:
        return say(best if event.best else alone, mean=mean)
    if event.tested is not None:
        return say("event.tested", test=event.tested.text())
    score, first = _number(event.score), _number(2 * event.score - event.mean)  # the score is the mean of both
    if event.best and event.reported:
        return say("event.best_reported", score=score, count=event.reported)
    if event.best:  # the score comes first: a narrow card shows only the beginning
        return say("event.best", score=score, first=first, mean=mean)
    return say(of_both, mean=mean, first=first, score=score)


def _number(value: float) -> str:
    return f"{value:,.1f}".replace("-", "−")
