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
    "probe.number": "{value:.2f}",
    "probe.number_in": "{value:.2f} [{low:.2f}, {high:.2f}]",
    "effect.return": "{value:.2f}",
    "effect.return_in": "{value:.2f} [{low:.2f}, {high:.2f}]",
    "map.brief_explains": "Explains",
    "map.brief_does_not": "Does not explain",
    "map.brief_no_verdict": "No verdict",
    "map.explains": "Explains the agent at the steps where the choice matters",
    "map.nothing_at_stake": "No verdict: no single choice matters here",
    "map.even": "Does not explain: what it points at matters, but its weights are nearly even",
    "map.not_more": "Does not explain: random places matter as much",
    "map.hardly_more": "Does not explain: random places matter nearly as much",
    "map.same_return": "Does not explain: without it the return is hardly lower",
    "map.not_repeatable": "No verdict: this environment does not repeat itself",
    "map.stake": (
        "The choice matters at {deciding:,} of {steps:,} steps ({episodes:d} episodes): there the chosen action is "
        "better than the others by {stake:.1f} of the values' spread."
    ),
    "map.stake_played": (
        "The choice matters at {deciding:,} of {steps:,} steps ({episodes:d} episodes): with another action at one of "
        "them the return falls by {lost}."
    ),
    "map.of_head": "{places} of head {head:d}",
    "map.without_one": "Without the {places} with the largest weight",
    "map.without_some": "Without the {places} with the largest weights",
    "map.random_one": "without a random one",
    "map.random_some": "without {k:d} random ones",
    "map.removed": (
        "{without}, {top} of the chosen action's advantage is lost and {top_actions:.0f}\u00a0% of actions change; "
        "{instead} {random} and {random_actions:.0f}\u00a0%."
    ),
    "map.removed_played": (
        "{without}, {top} of the chosen action's advantage is lost, {top_actions:.0f}\u00a0% of actions change and the "
        "return falls by {top_return}; {instead} {random}, {random_actions:.0f}\u00a0% and {random_return}."
    ),
    "map.why_explains": ("Both the choice and the return depend on what the map points at, and less on random places."),
    "map.why_nothing_at_stake": (
        "So no choice is known to matter for the return, and nothing can be lost without the map."
    ),
    "map.why_even": (
        "But {places} have nearly the same weight: the largest have {multiple:.1f} times their even share ({needed:g} "
        "times are needed), so the map hardly shows which ones matter."
    ),
    "map.why_not_more": "The choice depends no more on these places than on random ones.",
    "map.why_hardly_more": "The choice hardly depends more on these places than on random ones.",
    "map.why_same_return": "The return does not fall clearly more than without random places.",
    "map.why_not_repeatable": (
        "With the same seed and actions this environment shows something else, so episodes cannot be played on, and "
        "what is lost is not known."
    ),
    "map.explanation": "{verdict}. {stake} {removal} {reason}",
    "map.one_only": "This map has only one {places}, so removing it cannot be compared.",
    "map.short_at": "{verdict} (step {step:,})",
    "map.other_weights": "{answer} Measured with the weights of step {step:,}; others play now.",
    "answer.none": "Not measured: {problem}.",
    "probe.no_answer": "The probe has no answer: {problem}.",
    "probe.nothing": "Nothing to read",
    "probe.constant": "{fact} was the same in all episodes, so there is nothing to predict.",
    "probe.shown": "The observation shows {fact} at every step, so the memory is not needed for it.",
    "probe.unknown": "Not known",
    "probe.too_few": "With {episodes:d} episodes there is no interval for {fact}; ask for more episodes.",
    "probe.held_used": "Held and used",
    "probe.held_not_used": "Held, not used",
    "probe.held_untested": "Held; whether it is used is not known",
    "probe.no_better": "Held no better than by an untrained network",
    "probe.used_no_better": "Used, though an untrained network holds it as well",
    "probe.not_held_at_all": "Not held",
    "probe.used_not_read": "Used, though no linear reading shows it",
    "probe.used_unknown": "Used; how well it is held is not known",
    "probe.unknown_not_used": "Not used; whether it is held is not known",
    "probe.at_choices": "where the choice matters",
    "probe.at_all": "where the observation does not show it",
    "probe.points": "{number} points",
    "probe.return": "{value:,.4g}",
    "probe.why_held": (
        "{fact} is read with {score} {where}, from untrained networks with {untrained}: {difference} more. Observation "
        "alone {observation}, random labels {control}, guessing {chance}; noise {noise:.0f} % of the state."
    ),
    "probe.why_no_better": (
        "{fact} is read with {score} {where}, but from untrained networks with {untrained}, and one more of them may "
        "reach {reach}. Observation alone {observation}, random labels {control}, guessing {chance}; noise {noise:.0f} "
        "% of the state."
    ),
    "probe.why_not_held": (
        "{fact} is read with {score} {where}, not more than by the observation alone {observation}, random labels "
        "{control} or guessing {chance}; noise {noise:.0f} % of the state."
    ),
    "probe.why_unknown": (
        "{fact} is read with {score} {where}, from untrained networks with {untrained}: {difference} more, which is "
        "too uncertain. Ask for more episodes."
    ),
    "probe.why_unknown_base": (
        "{fact} is read with {score} {where}, not clearly above the observation alone {observation}, random labels "
        "{control} and guessing {chance}. Ask for more episodes."
    ),
    "probe.steps_of_choice": "steps where the choice matters and that value asks for another action",
    "probe.steps_of_all": "steps where that value asks for another action",
    "probe.why_used": (
        "Used: with its memory moved to another value of {fact}, the agent takes that value's action at {effect} of "
        "the {expected:,} {where}; after random moves of that length at {random}. Played so, the return falls from "
        "{own} to {moved}; with random moves it is {random_return}."
    ),
    "probe.why_not_used": (
        "Not used: with its memory moved to another value of {fact}, the agent takes that value's action at {effect} "
        "of the {expected:,} {where}; after random moves of that length at {random}. Played so, the return is {moved}, "
        "with random moves {random_return}, without moves {own}."
    ),
    "probe.why_use_unknown": (
        "Whether it is used is not known: with its memory moved to another value of {fact}, the agent takes that "
        "value's action at {effect} of the {expected:,} {where}; after random moves of that length at {random}. Played "
        "so, the return is {moved}, {lost} less than with random moves. Ask for more episodes."
    ),
    "probe.same_action": (
        "Not used: with another value of {fact} in its memory, the same action stays the best one at all {steps:,} "
        "steps."
    ),
    "probe.achieves_nothing": (
        "Whether it is used is not known: the agent's mean return of {own} is not clearly above that of random "
        "actions, {chance}, so nothing can be lost."
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
