"""The Exploration and speed panel: how much is left to chance, and how fast it all goes."""

from __future__ import annotations

from dqngui.gui.panels.curves.quantity_panel import Quantity, QuantityPanel, significant, whole


class ExplorationPanel(QuantityPanel):
    """ε or a policy's entropy, environment steps a second and updates a second, with a shared range of steps."""

    title = "Exploration and speed"
    promise = "Exploration ε, steps and updates a second will appear here with the first updates."
    quantities = {
        "epsilon": Quantity(
            "Exploration ε",
            "series1",
            "Share of random actions, before the spread over environments.",
            significant,
            brief="ε",
        ),
        "entropy": Quantity(
            "Entropy",
            "series1",
            "Mean entropy of the policy in nats: 0 when it always knows what to do.",
            significant,
            policy=True,
        ),
        "steps_per_second": Quantity(
            "Steps/s", "series0", "Environment steps a second, pauses left out.", whole, spiky=True
        ),
        "updates_per_second": Quantity("Updates/s", "series2", "Updates a second, pauses left out.", whole, spiky=True),
    }
