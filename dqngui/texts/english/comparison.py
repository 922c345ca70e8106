"""The sentences about comparisons of runs."""

from __future__ import annotations

from dqngui.texts.language import Plural

TEMPLATES: dict[str, str | Plural] = {
    "compare.better": (
        "{first} is better than {second}: a run of it beats one of {second} with probability {probability:.0f}\u00a0%, "
        "95\u00a0% interval {low:.0f} to {high:.0f}\u00a0%"
    ),
    "compare.open": (
        "{first} and {second}: it cannot be said which is better; a run of {first} beats one of {second} with "
        "probability {probability:.0f}\u00a0%, 95\u00a0% interval {low:.0f} to {high:.0f}\u00a0%"
    ),
    "compare.few": (
        "{first} and {second}: a run of {first} beats one of {second} in {probability:.0f}\u00a0% of the pairs; "
        "with fewer than {least} runs in a group there is no interval, and nothing can be said"
    ),
    "compare.no_scores": "{first} and {second}: one of them has no run with this score",
    "compare.uneven": (
        "The runs end at different steps, {first:,} to {last:,}, and each figure is of its run's own end"
    ),
    "compare.by_chance": "not above chance",
    "compare.no_changes": "no changes",
    "compare.change": "{name} → {value} at {step:,}",
    "compare.changes": "{said} and {more} more",
    "compare.all": "{said}",
    "compare.no_fork": "no fork",
    "compare.fork": "fork at {step:,}",
    "compare.each_alone": (
        "Each of the {count} intervals holds alone: of 20 comparisons without a difference, one is expected to look "
        "better"
    ),
    "compare.skipped": "the run `{name}` is left out: {problem}",
    "compare.damaged": Plural(
        "count",
        {
            "one": "{name}: {count:,} damaged line of its log is passed over: {problem}",
            "other": "{name}: {count:,} damaged lines of its log are passed over: {problem}",
        },
    ),
    "compare.too_many": "the first {most:,} runs are compared and {count:,} left out",
    "compare.reading": Plural("count", {"one": "Reading {count:,} run…", "other": "Reading {count:,} runs…"}),
    "compare.and_more": Plural("more", {"one": "{first} And {more:,} more.", "other": "{first} And {more:,} more."}),
    "compare.copied_commands": Plural(
        "count",
        {
            "one": "Copied {count:,} line that trains these runs again.",
            "other": "Copied {count:,} lines that train these runs again.",
        },
    ),
    "compare.copied_figure": "Copied the figure.",
    "compare.not_written": "{path} cannot be written: {problem}",
    "compare.cell": "{value}, 95\u00a0% interval {low} to {high} (n = {count})",
    "compare.cell_alone": "{value} (n = {count}, too few or too equal for an interval)",
    "compare.cell_none": Plural("count", {"one": "no score yet ({count} run)", "other": "no score yet ({count} runs)"}),
    "compare.part": Plural(
        "count",
        {
            "one": "Only {count} run is compared now. The menu of this card leads back to all {all}.",
            "other": "Only {count} runs are compared now. The menu of this card leads back to all {all}.",
        },
    ),
    "compare.no_measure": (
        "`{name}` is no name of a measure: it has at most 40 letters, digits, spaces and the signs . ( ) / % + - _"
    ),
    "compare.no_measures": "there is no measure `{name}`: the task of these runs names none",
    "compare.not_measured": "there is no measure `{name}`; these runs have: {known}",
    "compare.mmer_measure": "`mmer` is of returns and of no measure",
    "compare.no_score": "there is no score `{name}`; choose one of: {known}, with a return R",
}
