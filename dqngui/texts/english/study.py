"""The sentences of the study job, which answers questions about an agent from many episodes."""

from __future__ import annotations

from dqngui.texts.language import Plural

TEMPLATES: dict[str, str | Plural] = {
    "study.no_agent": "there is no agent with weights yet; train one or open a stored run first",
    "study.not_finite": "weights of this agent are not finite, so it computes no values (the first are {name})",
    "study.removing": "Removing places…",
    "study.playing_on": "Playing on from changed steps…",
    "study.several_choices": (
        "this agent makes several choices at once (decoupled values); this is measured for agents that make one only"
    ),
    "study.one_action": "this environment has one action only, so nothing is ever chosen",
    "study.no_heads": "`{view}` has no heads",
    "study.same_episodes": (
        "all {episodes} episodes were the same, so nothing can be said of others; the environment starts each in the "
        "same way"
    ),
    "study.checkpoint": "Checkpoint {number} of {count}",
    "study.playing": Plural(
        "episodes", {"one": "Playing {episodes:,} episode…", "other": "Playing {episodes:,} episodes…"}
    ),
    "study.reading": "Reading…",
    "study.moving": "Moving the memory to other values…",
    "study.tokens": "tokens",
    "study.slots": "slots",
    "study.steps": "steps",
    "study.places": "places",
    "study.no_choice": "there were never more than {k} {what} to choose from",
    "study.few_episodes": (
        "only {measured} of {episodes} episodes had more than {k} {what} to choose from, which is too few for an "
        "interval; ask for more episodes"
    ),
    "study.no_weights": "`{view}` is not a view of weights, so nothing can be removed from it",
    "study.nothing_weighed": (
        "this agent has no weights to show: it has no attention, and no memory with read or write weights"
    ),
    "study.no_checkpoints": "this run has stored no checkpoints yet",
    "study.checkpoints_gone": "the checkpoints of this run were deleted",
    "probe.few_episodes": "no step with this fact was reached by {fewest} episodes; ask for more episodes",
    "probe.nothing_held": "this agent carries nothing from one step to the next, so there is nothing to read from",
    "probe.not_held": "this memory does not hold `{view}`; it holds: {known}",
    "probe.no_fact": "there is no fact `{name}`; there are: {known}",
}
