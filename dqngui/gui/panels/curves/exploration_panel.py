"""The Exploration and speed panel: how much is left to chance, and how fast it all goes."""

from __future__ import annotations

from dqngui.gui.panels.curves.quantity_panel import QuantityPanel
from dqngui.lab.analysis.quantities import EXPLORATION


class ExplorationPanel(QuantityPanel):
    """ε or a policy's entropy, environment steps a second and updates a second, with a shared range of steps."""

    title = "Exploration and speed"
    promise = "Exploration ε, steps and updates a second will appear here with the first updates."
    quantities = EXPLORATION
