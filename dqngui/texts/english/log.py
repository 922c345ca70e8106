"""What is said about an event of a run: in the log, and at its place in a plot."""

from __future__ import annotations

from dqngui.texts.language import Plural

TEMPLATES: dict[str, str | Plural] = {
    "event.at": "{step:,}: {what}",
    "event.changed": "{setting} {old} → {new}",
    "event.refused": "{setting} {value} refused: {reason}",
    "event.schedule": "schedule",
    "event.evaluation": "Evaluation {mean}",
    "event.evaluation_best": "Evaluation {mean}, highest so far",
    "event.evaluation_of_both": "Evaluation {mean}, mean of both {score}",
    "event.confirmation": "Second evaluation {mean}",
    "event.confirmation_best": "Second evaluation {mean}, highest so far",
    "event.confirmation_of_both": "Second evaluation {mean}, mean of both {score}",
    "event.test": "Test {mean}",
    "event.test_best": "Test {mean}, highest so far",
    "event.test_of_both": "Test {mean}, mean of both {score}",
    "event.tested": "Test {test}",
    "event.best_reported": "Test {score} on {count} fresh episodes, highest repeated evaluations so far",
    "event.best": "Highest so far {score}, second evaluation {mean}",
    "event.forked": "Forked from {parent}: {changes}",
    "event.forked_fresh": "Forked from {parent}: {changes}; started fresh: {fresh}",
    "event.no_change": "no change",
    "event.breakpoint": "Breakpoint: {hit}",
    "mark.fork": "fork of {parent} with {changes}",
    "mark.fork_unchanged": "fork of {parent} without a change",
    "mark.breakpoint": "breakpoint, {hit}",
    "mark.fork_short": "fork",
    "mark.changed_short": "{setting} {value}",
}
