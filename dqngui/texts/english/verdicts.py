"""Verdicts about an agent: whether a map explains it, what its memory holds, how two episodes differ."""

from __future__ import annotations

from dqngui.texts.language import Plural

TEMPLATES: dict[str, str | Plural] = {
    "place.token": "token",
    "place.tokens": "{count:d} tokens",
    "place.all_tokens": "all tokens",
    "place.cell": "cell",
    "place.cells": "{count:d} cells",
    "place.all_cells": "all cells",
    "place.step": "past step",
    "place.steps": "{count:d} past steps",
    "place.all_steps": "all past steps",
    "place.other": "{axis}",
    "place.others": "{count:d} {axis}s",
    "place.all_others": "all {axis}s",
    "effect.share": "{percent:.0f} %",
    "effect.share_in": "{percent:.0f} % [{low:.0f}, {high:.0f}]",
    "effect.spread": "{value:.2f}",
    "effect.spread_in": "{value:.2f} [{low:.2f}, {high:.2f}]",
    "effect.one_changes_actions": (
        "Removing the {places} with the largest weight changes {share:.0f} % of actions [{low:.0f}, {high:.0f}], a "
        "random one {random}"
    ),
    "effect.changes_actions": (
        "Removing the {places} with the largest weights changes {share:.0f} % of actions [{low:.0f}, {high:.0f}], "
        "{k:d} random ones {random}"
    ),
    "effect.one_moves": (
        "Removing the {places} with the largest weight moves the values by {top} of their spread, a random one by "
        "{random}"
    ),
    "effect.moves": (
        "Removing the {places} with the largest weights moves the values by {top} of their spread, {k:d} random ones "
        "by {random}"
    ),
    "map.explains": "This map explains the agent.",
    "map.no_more": "This is not more than random removal does, so this map does not explain the agent.",
    "map.hardly_more": "This is hardly more than random removal does, so this map does not explain the agent.",
    "map.even": (
        "But on average over its rows {places} have nearly the same weight, so this map does not explain the agent."
    ),
    "map.explains_by_actions": "Explains: {top} of actions change, at random {random}",
    "map.explains_moved": "Explains: {top} of the values' spread, at random {random}",
    "map.does_not_by_actions": "Does not explain: {top} of actions change, at random {random}",
    "map.does_not_moved": "Does not explain: {top} of the values' spread, at random {random}",
    "map.one_only": "This map has only one {places}, so removing it cannot be compared.",
    "map.short_at": "{verdict} (step {step:,})",
    "map.answer": "{numbers}. {verdict}",
    "map.answer_of": "{view}: {numbers}. {verdict}",
    "map.other_weights": "{answer} With the weights of step {step:,}; others play now.",
    "map.measured": "{answer} Measured at {steps:,} steps of {episodes:d} episodes.",
    "answer.none": "Not measured: {problem}.",
    "probe.no_answer": "The probe has no answer: {problem}.",
    "probe.nothing": "Nothing to read",
    "probe.constant": "{fact} was the same in all episodes, so there is nothing to predict.",
    "probe.shown": "The observation shows {fact} at every step, so the memory is not needed for it.",
    "probe.unknown": "Not known",
    "probe.too_few": "With {episodes:d} episodes there is no interval for {fact}; ask for more episodes.",
    "probe.held_used": "Held and used",
    "probe.held_not_used": "Held, not used",
    "probe.held_untested": "Held; whether it is used was not tested",
    "probe.no_better": "Held no better than by an untrained network",
    "probe.not_held_at_all": "Not held",
    "probe.at_choices": "where the choice matters",
    "probe.at_all": "where the observation does not show it",
    "probe.why_held": (
        "{fact} is read with {score} {where}, from untrained networks with {untrained}: {difference} more. Observation "
        "alone {observation}, random labels {control}, guessing {chance}; noise {noise:.0f} % of the state."
    ),
    "probe.why_no_better": (
        "{fact} is read with {score} {where}, but from untrained networks with {untrained}: difference {difference}. "
        "Observation alone {observation}, random labels {control}, guessing {chance}; noise {noise:.0f} % of the state."
    ),
    "probe.why_not_held": (
        "{fact} is read with {score} {where}, not clearly above the observation alone {observation}, random labels "
        "{control} and guessing {chance}; noise {noise:.0f} % of the state."
    ),
    "probe.why_used": (
        "Used: when the memory is moved to another value of {fact}, {effect} of these actions follow; after random "
        "moves of that length {random}, in untrained networks {untrained}."
    ),
    "probe.why_not_used": (
        "Not used: when the memory is moved to another value of {fact}, {effect} of these actions follow; after random "
        "moves of that length {random}, in untrained networks {untrained}."
    ),
    "probe.no_stake": (
        "Not used: in too few episodes do the two best action values differ by half of the values' spread where "
        "{fact} is hidden, so nothing is at stake."
    ),
    "probe.cannot_move": "Not tested whether {fact} is used: it is the same in all episodes at each step.",
    "probe.other_agent": "This answer is about another agent than the one that plays now.",
    "probe.other_weights": "Measured with the weights of step {step:,}; now the weights are of {now:,}.",
    "compare.weights_gone": "The weights of step {step:,} are not stored any more",
    "compare.other_actions": "The other agent has other actions: it plays another task",
    "compare.not_the_same": "Not reproducible: the episodes differ before the change, from step {step:,} on",
    "compare.identical": "Identical",
    "compare.identical_so_far": "Identical so far",
    "compare.same_actions": "Same actions, other values from step {step:,} on",
    "compare.same_actions_so_far": "Same actions so far, other values from step {step:,} on",
    "compare.diverges": "Diverges at step {step:,}",
    "compare.diverges_to": "Diverges at step {step:,} · return {one} → {other}",
    "compare.not_reached": "The episode has not reached the first change yet",
}
