"""The Learning panel: how the updates go."""

from __future__ import annotations

from dqngui.gui.panels.curves.quantity_panel import Quantity, QuantityPanel, significant


class LearningPanel(QuantityPanel):
    """Loss, errors, values and gradient norm, with a shared range of steps; of a policy, how far it moved as well."""

    title = "Learning"
    promise = "Loss, TD error, values and gradient norm will appear here with the first updates."
    quantities = {
        "loss": Quantity("Loss", "series2", "The loss that is minimised.", significant, spiky=True),
        "td_error": Quantity(
            "|TD error|", "series3", "Mean absolute temporal-difference error.", significant, spiky=True
        ),
        "q_mean": Quantity("Mean q", "series0", "Mean value of the learned actions, in scaled rewards.", significant),
        "grad_norm": Quantity(
            "Grad norm", "series1", "Norm of the gradient before clipping.", significant, spiky=True, brief="Grad"
        ),
        "value_error": Quantity(
            "|Value error|",
            "series3",
            "Mean absolute difference of the critic's values to the returns that it is taught, in scaled rewards.",
            significant,
            spiky=True,
            policy=True,
        ),
        "explained": Quantity(
            "Explained",
            "series0",
            "Share of the returns' variance that the critic foresaw: 1 is all of it, 0 none.",
            significant,
            spiky=True,
            policy=True,
        ),
        "kl": Quantity(
            "KL",
            "series4",
            "How far updates took the policy from the one that acted: mean divergence, in nats.",
            significant,
            spiky=True,
            policy=True,
        ),
        "clip_share": Quantity(
            "Clipped",
            "series5",
            "Share of actions whose probability left the clip range: these teach the policy nothing more.",
            significant,
            policy=True,
        ),
    }
