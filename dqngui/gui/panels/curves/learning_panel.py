"""The Learning panel: loss, errors and other quantities of the updates."""

from __future__ import annotations

from dqngui.gui.panels.curves.quantity_panel import QuantityPanel
from dqngui.lab.analysis.quantities import LEARNING


class LearningPanel(QuantityPanel):
    """Loss, errors, values and gradient norm, with a shared range of steps; for a policy also its change."""

    title = "Learning"
    promise = "Loss, TD error, values and gradient norm appear here after the first update."
    quantities = LEARNING
