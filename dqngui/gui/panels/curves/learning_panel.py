"""The Learning panel: how the updates go."""

from __future__ import annotations

from dqngui.gui.panels.curves.quantity_panel import QuantityPanel
from dqngui.lab.analysis.quantities import LEARNING


class LearningPanel(QuantityPanel):
    """Loss, errors, values and gradient norm, with a shared range of steps; of a policy, how far it moved as well."""

    title = "Learning"
    promise = "Loss, TD error, values and gradient norm will appear here with the first updates."
    quantities = LEARNING
