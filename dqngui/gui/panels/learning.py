"""The Learning panel: how the updates go."""

from __future__ import annotations

from dqngui.gui.panels.quantities import QuantitiesPanel, Quantity, significant


class LearningPanel(QuantitiesPanel):
    """Loss, TD error, values and gradient norm, with a shared range of steps."""

    title = "Learning"
    promise = "Loss, TD error, values and gradient norm will appear here with the first updates."
    quantities = {
        "loss": Quantity("Loss", "series2", "The loss that is minimised.", significant, spiky=True),
        "td_error": Quantity(
            "|TD error|", "series3", "Mean absolute temporal-difference error.", significant, spiky=True
        ),
        "q_mean": Quantity("Mean q", "series0", "Mean value of the learned actions, in scaled rewards.", significant),
        "grad_norm": Quantity("Grad norm", "series1", "Norm of the gradient before clipping.", significant, spiky=True),
    }
