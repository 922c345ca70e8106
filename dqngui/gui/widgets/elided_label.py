"""A label whose text ends in an ellipsis where it does not fit; its tooltip has the whole text."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent, QTextLayout
from PySide6.QtWidgets import QLabel, QSizePolicy, QToolTip, QWidget

from dqngui.gui.widgets.plain_label import plain_tip

MIN_LETTERS = 4  # a shorter text is not shown
ONE_LINE_PX = 420
"""A label of several lines asks for one line up to this width, and divides a longer text among its lines."""


class ElidedLabel(QLabel):
    """A label of one line, or of at most `lines`; `text()` is always the whole text."""

    def __init__(self, text: str = "", parent: QWidget | None = None, gives_way: bool = True, lines: int = 1) -> None:
        """`gives_way`: its size hint has no width; otherwise that of the text, and it shrinks only if necessary."""
        super().__init__(parent)
        self._lines = lines
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)
        policy = QSizePolicy.Policy.Ignored if gives_way else QSizePolicy.Policy.Preferred
        self.setSizePolicy(policy, QSizePolicy.Policy.Preferred)

    def shown(self) -> str:
        """The visible part of the text, with its line breaks; empty if only a few letters would fit."""
        *whole, rest = self._broken()
        last = self.fontMetrics().elidedText(rest, Qt.TextElideMode.ElideRight, self.width())
        shown = "\n".join([*whole, last])
        return shown if last == rest or len(shown) > MIN_LETTERS else ""

    @property
    def cut(self) -> bool:
        """Whether a part of the text is not visible."""
        return " ".join(self.shown().split()) != " ".join(self.text().split())

    def _broken(self) -> list[str]:
        """The text in lines; the last one is as long as it is."""
        text = self.text()
        lines: list[str] = []
        if self._lines == 1:
            return [text]
        rest = " ".join(text.split())
        while len(lines) < self._lines - 1 and self.fontMetrics().horizontalAdvance(rest) > self.width():
            layout = QTextLayout(rest, self.font())
            layout.beginLayout()
            line = layout.createLine()
            line.setLineWidth(max(1, self.width()))
            layout.endLayout()
            at = line.textLength()
            if not 0 < at < len(rest):
                break
            lines.append(rest[:at].rstrip())
            rest = rest[at:]
        return [*lines, rest]

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        if self._lines > 1:
            self.ensurePolished()
            letters = self.fontMetrics()
            width = letters.horizontalAdvance(" ".join(self.text().split())) + 2
            if width > ONE_LINE_PX:  # lines are not equally long
                width = max(ONE_LINE_PX, round(1.06 * width / self._lines) + 24)
            return QSize(width, self._lines * letters.lineSpacing())
        return hint

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.sizeHint().height() if self._lines > 1 else super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), int(self.alignment()), self.shown())

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and not self.toolTip():
            QToolTip.showText(event.globalPos(), plain_tip(self.text()) if self.cut else "", self)
            return True
        return bool(super().event(event))
