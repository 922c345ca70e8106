"""The choice of what the Return card draws: the return, or a measure that the task names beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtWidgets import QWidget

from dqngui.gui.widgets.choice_button import ChoiceButton
from dqngui.lab.session.history import History

RETURN = "return"
_KEY = "(return)"  # no measure may have this name


class MeasureChoice(ChoiceButton):
    """Offers the return and the measures of the runs that are drawn; hidden where these have none.

    Attributes:
        measure: the chosen measure; empty for the return.
    """

    def __init__(self, changed: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__("What is drawn of each episode", parent)
        self.measure = ""
        self._wanted = ""  # stays when a run without this measure is opened
        self._changed = changed
        self.hide()

    @property
    def named(self) -> str:
        """What is drawn, for axes and readouts."""
        return self.measure or RETURN

    def choose(self, measure: str) -> None:
        """Draw this measure; empty: the return."""
        self._wanted = "" if measure == _KEY else measure
        self._changed()

    def offer_of(self, histories: Iterable[History]) -> None:
        """Offer what these histories have."""
        names = dict.fromkeys(name for history in histories for name in history.measures)
        self.measure = self._wanted if self._wanted in names else ""
        self.offer({_KEY: RETURN, **{name: name for name in names}}, self.measure or _KEY, self.choose)
        self.setVisible(bool(names))
