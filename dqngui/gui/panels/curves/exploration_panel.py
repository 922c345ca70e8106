"""The Exploration and speed panel: share of random actions, and speed of training."""

from __future__ import annotations

from dqngui.gui.panels.curves.quantity_panel import QuantityPanel
from dqngui.lab.analysis.quantities import EXPLORATION


class ExplorationPanel(QuantityPanel):
    """ε or a policy's entropy, environment steps a second and updates a second, with a shared range of steps."""

    title = "Exploration and speed"
    promise = "Exploration ε, steps per second and updates per second appear here after the first update."
    quantities = EXPLORATION
