"""The card of a panel: its title, its widgets in the header line, its actions in the menu."""

from __future__ import annotations

from dqngui.gui.cards.card import Card
from dqngui.gui.cards.panel import Panel


def card_of(panel: Panel, *, menu: bool = True) -> Card:
    """Make a card around a panel, and set the panel's `card`; without `menu` the panel's actions are left out."""
    card = Card(panel.title, panel)
    for widget in panel.header_widgets:
        card.add_to_header(widget)
    if menu:
        for action in panel.menu_actions:
            card.add_action(action)
    panel.card = card
    return card
