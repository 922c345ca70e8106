"""A label whose text ends in an ellipsis where it does not fit; its tooltip has the whole text."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QToolTip, QWidget

from dqngui.gui.widgets.plain_label import plain_tip

MIN_LETTERS = 4  # a shorter text is not shown


class ElidedLabel(QLabel):
    """A label of one line; `text()` is always the whole text."""

    def __init__(self, text: str = "", parent: QWidget | None = None, gives_way: bool = True) -> None:
        """`gives_way`: its size hint has no width; otherwise that of the text, and it shrinks only if necessary."""
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)
        policy = QSizePolicy.Policy.Ignored if gives_way else QSizePolicy.Policy.Preferred
        self.setSizePolicy(policy, QSizePolicy.Policy.Preferred)

    def shown(self) -> str:
        """The visible part of the text; empty if only a few letters would fit."""
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        return shown if shown == self.text() or len(shown) > MIN_LETTERS else ""

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), int(self.alignment()), self.shown())

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and not self.toolTip():
            QToolTip.showText(event.globalPos(), plain_tip(self.text()) if self.shown() != self.text() else "", self)
            return True
        return bool(super().event(event))
