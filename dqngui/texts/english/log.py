"""What is said about an event of a run: in the log, and at its place in a plot."""

from __future__ import annotations

from dqngui.texts.language import Plural

TEMPLATES: dict[str, str | Plural] = {
    "event.at": "{step:,}: {what}",
    "event.changed": "{setting} {old} → {new}",
    "event.refused": "{setting} {value} refused: {reason}",
    "event.schedule": "schedule",
    "event.evaluation": "Evaluation {mean}",
    "event.evaluation_best": "New best {mean}",
    "event.evaluation_of_both": "Evaluation {mean} (mean of {first} and {mean}: {score})",
    "event.confirmation": "Second evaluation {mean}",
    "event.confirmation_best": "New best {mean} (second evaluation)",
    "event.confirmation_of_both": "Not a new best: {score} (mean of {first} and {mean})",
    "event.test": "Test {mean}",
    "event.test_best": "New best {mean} (test)",
    "event.test_of_both": "Test {mean} (mean of {first} and {mean}: {score})",
    "event.tested": "New best: test {test}",
    "event.best_reported": "New best: test {score} on {count} fresh episodes",
    "event.best": "New best {score} (mean of {first} and {mean})",
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
