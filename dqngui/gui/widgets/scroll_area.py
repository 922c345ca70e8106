"""A vertical scroll area whose size hint is that of its content."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize, Qt, Slot
from PySide6.QtGui import QLinearGradient, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QScrollArea, QWidget

from dqngui.gui.style import theme as themes

FADE_PX = 28


class ScrollArea(QScrollArea):
    """A vertical scroll area; the content fades out at an edge if more is hidden there.

    Attributes:
        fades: the shades at the upper and lower edge; visible if content is hidden there.
    """

    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._content = content
        self.setWidget(content)
        self.fades = (Fade(self.viewport(), up=True), Fade(self.viewport(), up=False))
        bar = self.verticalScrollBar()
        bar.valueChanged.connect(self._show_fades)
        bar.rangeChanged.connect(self._show_fades)
        self._show_fades()

    @Slot()
    def _show_fades(self) -> None:
        bar = self.verticalScrollBar()
        upper, lower = self.fades
        upper.setVisible(bar.value() > bar.minimum())
        lower.setVisible(bar.value() < bar.maximum())

    def reveal(self, part: QWidget) -> None:
        """Scroll until a widget, or at least its upper end, is visible."""
        top = part.mapTo(self._content, QPoint(0, 0)).y()
        lowest = top + part.height() - self.viewport().height()
        bar = self.verticalScrollBar()
        bar.setValue(min(top, max(lowest, bar.value())))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        width, height = self.viewport().width(), self.viewport().height()
        upper, lower = self.fades
        upper.setGeometry(0, 0, width, FADE_PX)
        lower.setGeometry(0, height - FADE_PX, width, FADE_PX)

    def sizeHint(self) -> QSize:
        hint = self._content.sizeHint()
        return QSize(hint.width() + self.verticalScrollBar().sizeHint().width(), hint.height() + 2)

    def minimumSizeHint(self) -> QSize:
        width = self._content.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
        return QSize(width, 120)


class Fade(QWidget):
    """A shade from transparent to the card's colour, which ignores the mouse."""

    def __init__(self, parent: QWidget, *, up: bool) -> None:
        super().__init__(parent)
        self._up = up
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = themes.current()
        top, bottom = (255, 0) if self._up else (0, 255)
        shade = QLinearGradient(0, 0, 0, self.height())
        shade.setColorAt(0, theme.color("surface", top))
        shade.setColorAt(1, theme.color("surface", bottom))
        QPainter(self).fillRect(self.rect(), shade)
