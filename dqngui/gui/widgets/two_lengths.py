"""A label with a long and a short text; a card's header chooses which fits."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from dqngui.gui.widgets.elided_label import ElidedLabel


class TwoLengths(ElidedLabel):
    """A label that can say the same in fewer words."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent, gives_way=False)
        self._full, self._brief, self._short = "", "", False

    def show_texts(self, full: str, brief: str) -> None:
        """Set both texts."""
        self._full, self._brief = full, brief
        self._show()

    def full(self) -> str:
        """The long text."""
        return self._full

    def full_width(self) -> int:
        """Width of the long text in pixels."""
        return self.fontMetrics().horizontalAdvance(self._full)

    def set_short(self, short: bool) -> None:
        """Show the short text, or the long one."""
        self._short = short
        self._show()

    def _show(self) -> None:
        wanted = self._brief if self._short else self._full
        if wanted != self.text():
            self.setText(wanted)
