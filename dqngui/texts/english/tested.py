"""What is said about tests of agents: means of returns, with their intervals or why there is none."""

from __future__ import annotations

from dqngui.texts.language import Plural

TEMPLATES: dict[str, str | Plural] = {
    "tested.interval": "{mean:.4g} on {count} fresh episodes, 95\u00a0% interval {low:.4g} to {high:.4g}",
    "tested.few": Plural(
        "count",
        {
            "one": "{mean:.4g} on {count} fresh episode, too few for an interval",
            "other": "{mean:.4g} on {count} fresh episodes, too few for an interval",
        },
    ),
    "tested.equal": "{mean:.4g} on {count} fresh episodes, all equal and so without an interval",
    "tested.measures": "{test}; {measures}",
    "tested.measure": "{name} {mean:.4g} (n = {count})",
    "tested.measure_interval": "{name} {mean:.4g}, 95\u00a0% interval {low:.4g} to {high:.4g} (n = {count})",
    "tested.chosen": "{test}; chosen at {chosen:.4g}, the highest mean of repeated evaluations",
    "tested.unseen_seeds": (
        "With {count} seeds, an outcome of up to {percent:.0f}\u00a0% of all seeds may not have been seen."
    ),
    "tested.unseen": (
        "With {count} episodes, an outcome of up to {percent:.0f}\u00a0% of all episodes may not have been seen."
    ),
}
