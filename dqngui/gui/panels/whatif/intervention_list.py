"""The list of interventions in the What if card: each line has a check box, a description and a remove button."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import SECONDARY_PX, Theme
from dqngui.gui.widgets.plain_label import plain_tip
from dqngui.lab.analysis.interventions import InterventionEntry, InterventionList
from dqngui.messages import PlayerReady

ROW_PX = 26
MAX_ROWS = 3  # shown at once; with more, the list scrolls


class InterventionListView(QScrollArea):
    """A widget with one row per intervention.

    Signals:
        opened(int): the user wants to edit the intervention with this index.
    """

    opened = Signal(int)

    def __init__(self, interventions: InterventionList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._interventions = interventions
        self._ready: PlayerReady | None = None
        self.rows: list[InterventionRow] = []
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Changes")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        body = QWidget()
        self._column = QVBoxLayout(body)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self.setWidget(body)
        interventions.changed.connect(self.refresh)
        self.refresh()

    def set_agent(self, ready: PlayerReady | None) -> None:
        """Set the agent that plays; interventions on parts that it does not have are disabled."""
        if ready != self._ready:
            self._ready = ready
            self.refresh()

    def refresh(self) -> None:
        """Show the present list."""
        entries = self._interventions.rows
        while len(self.rows) > len(entries):
            row = self.rows.pop()
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        while len(self.rows) < len(entries):
            self.rows.append(self._new_row(len(self.rows)))
        for widget, change in zip(self.rows, entries, strict=True):
            widget.show_row(change, self._ready is None or change.fits(self._ready))
        self.setVisible(bool(entries))
        self.setFixedHeight(ROW_PX * min(len(entries), MAX_ROWS))

    def _new_row(self, index: int) -> InterventionRow:
        row = InterventionRow(index)
        row.check.clicked.connect(lambda on: self._interventions.switch(index, on))
        row.text.clicked.connect(partial(self.opened.emit, index))
        row.remove.clicked.connect(lambda: self._interventions.remove(index))
        self._column.addWidget(row)
        return row

    def restyle(self, theme: Theme) -> None:
        for row in self.rows:
            row.restyle()


class InterventionRow(QWidget):
    """One intervention: a check box, its description (a click edits it), a remove button."""

    def __init__(self, index: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(ROW_PX)
        self.check = QCheckBox()
        self.check.setToolTip("Apply this change")
        self.text = TextButton()
        self.remove = QToolButton()
        self.remove.setFixedSize(24, 22)
        self.remove.setIconSize(QSize(14, 14))
        self.remove.setToolTip("Remove this change")
        self.remove.setAccessibleName(f"Remove change {index + 1}")
        self.check.setAccessibleName(f"Change {index + 1} is applied")
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.check)
        row.addWidget(self.text, 1)
        row.addWidget(self.remove)
        self.restyle()

    def show_row(self, row: InterventionEntry, fits: bool) -> None:
        """Describe an intervention; `fits`: the agent has the part that it changes."""
        self.check.setChecked(row.on)
        self.check.setEnabled(fits)
        text = f"{row.what}, {row.when}"
        text = f"{text[:1].upper()}{text[1:]}"
        self.text.show_text(text if fits else f"{text} (this agent does not have it)")
        self.text.setEnabled(fits)

    def restyle(self) -> None:
        self.remove.setIcon(themes.icon("close", "muted"))


class TextButton(QPushButton):
    """A flat button with one line of text, shortened if it does not fit; the tooltip has the whole text."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        themes.set_role(self, "line")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.full = ""

    def show_text(self, text: str) -> None:
        self.full = text
        self.setToolTip(plain_tip(f"{text}: click to edit"))
        self.setAccessibleName(f"Edit: {text}")
        self._fit()

    def _fit(self) -> None:
        metrics = QFontMetrics(
            themes.font(themes.zoomed(SECONDARY_PX))
        )  # the font of the stylesheet is set only when the button is polished
        self.setText(metrics.elidedText(self.full, Qt.TextElideMode.ElideRight, max(0, self.width() - 12)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
