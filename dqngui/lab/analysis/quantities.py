"""The measured quantities: the name, the meaning and the number format of each.

The cards draw these, breakpoints are set on them, and exports name their columns by the keys.
"""

from __future__ import annotations

from dataclasses import dataclass

from dqngui.jobs.breakpoints import EPISODES
from dqngui.lab.analysis.breakpoints import SATURATED
from dqngui.texts.numbers import measured


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quantity.

    Attributes:
        tip: its meaning in one sentence.
        title: title of its curve; empty if it has no curve.
        brief: shorter title for narrow plots; empty: the title is cut off.
        series: index of its colour among the theme's series colours.
        whole: written as a whole number; otherwise with three significant digits.
        spiky: rare extremes may lie outside the plot.
        occasional: only some runs have it, such as those of an algorithm with a policy; in others it is not drawn.
    """

    tip: str
    title: str = ""
    brief: str = ""
    series: int = 0
    whole: bool = False
    spiky: bool = False
    occasional: bool = False

    def words(self, value: float) -> str:
        """The text of a value."""
        return f"{value:,.0f}" if self.whole else measured(value, 3)


LEARNING = {
    "loss": Quantity("The loss that is minimised.", "Loss", series=2, spiky=True),
    "td_error": Quantity("Mean absolute temporal-difference error.", "|TD error|", series=3, spiky=True),
    "q_mean": Quantity("Mean value of the learned actions, in the environment's rewards.", "Mean Q", series=0),
    "grad_norm": Quantity("Norm of the gradient before clipping.", "Grad norm", "Grad", series=1, spiky=True),
    "value_error": Quantity(
        "Mean absolute difference between the critic's values and its target returns, in the unit of learned rewards.",
        "|Value error|",
        series=3,
        spiky=True,
        occasional=True,
    ),
    "explained": Quantity(
        "Share of the returns' variance that the critic explains: 1 is all of it, 0 none.",
        "Explained",
        series=0,
        spiky=True,
        occasional=True,
    ),
    "kl": Quantity(
        "Mean KL divergence between the policy that acted and the updated one, in nats.",
        "KL",
        series=4,
        spiky=True,
        occasional=True,
    ),
    "epochs": Quantity(
        "Mean number of epochs over a rollout; a KL divergence above the limit stops them early.",
        "Epochs",
        series=2,
        occasional=True,
    ),
    "clip_share": Quantity(
        "Share of actions whose probability ratio left the clip range; these give no gradient.",
        "Clipped",
        series=5,
        occasional=True,
    ),
}
"""Quantities of the updates, by field of `Learned`."""
EXPLORATION = {
    "epsilon": Quantity("Share of random actions, before the spread over environments.", "Exploration ε", "ε", 1),
    "entropy": Quantity(
        "Mean entropy of the policy in nats: 0 when it always chooses the same action in a state.",
        "Entropy",
        series=1,
        occasional=True,
    ),
    "lr": Quantity("Learning rate, where it changes by itself.", "Learning rate", "Rate", series=3, occasional=True),
    "steps_per_second": Quantity(
        "Environment steps a second, pauses left out.", "Steps/s", series=0, whole=True, spiky=True
    ),
    "updates_per_second": Quantity("Updates a second, pauses left out.", "Updates/s", series=2, whole=True, spiky=True),
}
"""Quantities of exploration and speed, by field of `Learned`."""
OTHERS = {
    "return": Quantity(f"Mean undiscounted return of the last {EPISODES} training episodes."),
    "evaluation": Quantity("Mean return of a greedy evaluation."),
    "policy_loss": Quantity("The clipped objective of the policy, negated.", occasional=True),
    "attention_entropy": Quantity(
        "Mean entropy of all attention heads over an episode that the player has played to its end with the newest "
        "weights; 0: each head attends to one place, 1: to all places equally."
    ),
    "memory_saturation": Quantity(
        f"Share of the memory's hidden values with a magnitude above {SATURATED}, over an episode that the player "
        "has played to its end with the newest weights."
    ),
}
"""Quantities without a curve of their own; breakpoints can be set on them."""
QUANTITIES = LEARNING | EXPLORATION | OTHERS
