"""A card: a rounded frame with one header line (title left; legend, choices, key figures right) and a body.

`CardDock` is a dock that shows nothing but a card. A docked QDockWidget ignores background and border
of a stylesheet, so the card is an inner frame; its header is the drag handle.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QMouseEvent
from PySide6.QtWidgets import (
    QDockWidget,
    QFrame,
    QHBoxLayout,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from dqngui.gui.charts.legend_marker import Marker, marker_icon
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.elided_label import ElidedLabel
from dqngui.gui.widgets.plain_label import plain_label
from dqngui.gui.widgets.two_lengths import TwoLengths
from dqngui.gui.widgets.unlit import unlight_after


class Card(QFrame):
    """A titled frame around a body.

    Attributes:
        header: the header line's widget (a drag handle when docked).
        note: a short text at the right of the header line; see `set_note`.
        menu: actions of the card; `menu_button`, which opens it, appears with the first action.
    """

    def __init__(self, title: str, body: QWidget | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.setAccessibleName(title)
        self.header = _Header(self)
        self.header.changed.connect(self._fit_header)
        self.header.setObjectName("cardHeader")
        self.header.setFixedHeight(30)
        # The header does not limit how narrow a card may be: legends shrink to their markers instead.
        self.header.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._title = plain_label(title, self.header)
        themes.set_role(self._title, "title")
        self.note = ElidedLabel("", self.header)
        themes.set_role(self.note, "muted")
        self.note.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.menu = QMenu(self)
        self.menu_button = QToolButton(self.header)
        self.menu_button.setMenu(self.menu)
        unlight_after(self.menu, self.menu_button)
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu_button.setIconSize(QSize(16, 16))
        self.menu_button.setToolTip(f"{title}: more actions")
        self.menu_button.setAccessibleName(f"{title} menu")
        self.menu_button.hide()
        self._line = QHBoxLayout(self.header)
        self._line.setContentsMargins(10, 4, 6, 0)
        self._line.setSpacing(6)
        self._line.addWidget(self._title)
        self._line.addWidget(self.note, 1)
        self._line.addWidget(self.menu_button)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(1, 1, 1, 1)
        self._box.setSpacing(0)
        self._box.addWidget(self.header)
        self.body: QWidget | None = None
        if body is not None:
            self.set_body(body)
        self.restyle(themes.current())

    @property
    def title(self) -> str:
        return self._title.text()

    @property
    def titled(self) -> bool:
        """Whether the title is shown."""
        return not self._title.isHidden()

    def set_titled(self, titled: bool) -> None:
        """Show or hide the title; a tab shows the title of its card."""
        self._title.setVisible(titled)

    def set_note(self, text: str) -> None:
        """A short secondary text at the header's right (`locked while running`)."""
        self.note.setText(text)

    def add_to_header(self, widget: QWidget) -> None:
        """Put a widget at the right of the header line, before the menu button."""
        self._line.insertWidget(self._line.count() - 1, widget)

    def add_action(self, action: QAction) -> None:
        """Put an action into the card's menu."""
        self.menu.addAction(action)
        self.menu_button.show()

    def _fit_header(self) -> None:
        """Shorten what the line has no room for: first the key figures' words, then the legend to its markers."""
        items = (self._line.itemAt(index) for index in range(self._line.count()))
        widgets = [item.widget() for item in items if item is not None]
        shown = [widget for widget in widgets if widget and widget is not self.note and not widget.isHidden()]
        figures = [widget for widget in shown if isinstance(widget, TwoLengths)]
        chips = [widget for widget in shown if isinstance(widget, LegendChip)]
        margins = self._line.contentsMargins()
        room = self.header.width() - self._line.spacing() * len(shown) - margins.left() - margins.right()
        room -= sum(each.sizeHint().width() for each in shown if not isinstance(each, TwoLengths | LegendChip))
        names = sum(each.full_width() for each in chips)
        for figure in figures:
            figure.set_short(names + sum(each.full_width() for each in figures) > room)
        for chip in chips:
            chip.set_short(names + sum(each.sizeHint().width() for each in figures) > room)

    def room_for(self, widgets: Sequence[QWidget]) -> int:
        """Pixels of the header line for these widgets, gaps included."""
        shown = [each for each in (self._title, self.menu_button) if not each.isHidden() and each not in widgets]
        margins, gap = self._line.contentsMargins(), self._line.spacing()
        taken = sum(each.sizeHint().width() + gap for each in shown) + gap  # and one gap for the empty note
        return self.width() - margins.left() - margins.right() - 2 - taken

    def set_body(self, body: QWidget) -> None:
        """Set the content; an earlier one is deleted."""
        if self.body is not None:
            self._box.removeWidget(self.body)
            self.body.deleteLater()
        self.body = body
        self._box.addWidget(body, 1)

    def restyle(self, theme: Theme) -> None:
        self.menu_button.setIcon(themes.icon("dots-horizontal", "muted"))


class CardDock(QDockWidget):
    """A dock with a card. Saved layouts identify it by its object name.

    The card's header drags it; *Float* in the card's menu puts it in a window of its own.
    """

    def __init__(self, name: str, card: Card, parent: QWidget | None = None) -> None:
        super().__init__(card.title.split(" and ")[0], parent)  # text of tabs and menus
        self.setObjectName(name)
        self.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetMovable
            | QDockWidget.DockWidgetFeature.DockWidgetFloatable
            | QDockWidget.DockWidgetFeature.DockWidgetClosable
        )
        self.card = card
        self._bare = _bare()
        self.setTitleBarWidget(self._bare)
        self.setWidget(card)
        card.header.setCursor(Qt.CursorShape.ArrowCursor)
        card.header.installEventFilter(self)
        if card.menu.actions():
            card.menu.addSeparator()
        self._float = QAction("Float", self)
        self._float.triggered.connect(self._toggle_floating)
        card.add_action(self._float)
        self.topLevelChanged.connect(self._name_float_action)
        self.restyle(themes.current())

    def restyle(self, theme: Theme) -> None:
        self.card.restyle(theme)
        self._name_float_action(self.isFloating())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # Qt starts a drag only from its title bar, which is empty here: a press on the card's header
        # (which its children do not accept) is sent on as a press on the title bar's single row of pixels.
        if event.type() != QEvent.Type.MouseButtonPress or not isinstance(event, QMouseEvent) or self._framed():
            return False
        if event.button() != Qt.MouseButton.LeftButton:
            return False
        x = self.card.header.mapTo(self, event.position().toPoint()).x()
        at = QPointF(x, self._bare.geometry().center().y())
        press = QMouseEvent(
            event.type(), at, event.globalPosition(), event.button(), event.buttons(), event.modifiers(),
            event.pointingDevice(),
        )  # fmt: skip
        return bool(self.event(press))

    def _framed(self) -> bool:
        return self.titleBarWidget() is not self._bare

    def _toggle_floating(self) -> None:
        self.setFloating(not self.isFloating())
        # A floating dock has a native frame only while it has no title bar widget.
        self.setTitleBarWidget(None if self.isFloating() else self._bare)  # type: ignore[arg-type]
        if self.isFloating():
            self.show()

    def _name_float_action(self, floating: bool) -> None:
        self._float.setText("Dock" if floating else "Float")
        self._float.setIcon(themes.icon("dock-window" if floating else "open-in-new", "muted"))
        if not floating and self._framed():
            self.setTitleBarWidget(self._bare)


class _Header(QWidget):
    """The header line. Emits `changed` when its width or content changed."""

    changed = Signal()

    def event(self, event: QEvent) -> bool:
        done = bool(super().event(event))
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest, QEvent.Type.Show):
            self.changed.emit()
        return done


def _bare() -> QWidget:
    """A title bar of one row of transparent pixels. A layout gives its size, since Qt queries it often."""
    bar = QWidget()
    row = QHBoxLayout(bar)
    row.setContentsMargins(0, 1, 0, 0)
    return bar


class LegendChip(QToolButton):
    """One entry of a legend in a card's header: marker and name; a click hides or shows the series.

    Attributes:
        marker: the sign of the series.
    """

    def __init__(self, text: str, token: str, marker: str = "dot", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.marker = Marker(token, marker)
        self.setText(text)
        self.setCheckable(True)
        self.setChecked(True)
        self.setToolTip(f"Show or hide: {text}")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(QSize(12, 12))
        themes.set_role(self, "legend")
        self.restyle(themes.current())

    def full_width(self) -> int:
        """Width in pixels with its name; Qt's own size hint is too wide."""
        return 12 + 4 + self.fontMetrics().horizontalAdvance(self.text()) + 14

    def set_short(self, short: bool) -> None:
        """Show only the marker, or marker and name."""
        style = Qt.ToolButtonStyle
        wanted = style.ToolButtonIconOnly if short else style.ToolButtonTextBesideIcon
        if wanted != self.toolButtonStyle():
            self.setToolButtonStyle(wanted)
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        short = self.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonIconOnly
        return QSize(22 if short else self.full_width(), 22)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def restyle(self, theme: Theme) -> None:
        self.setIcon(marker_icon(self.marker))
