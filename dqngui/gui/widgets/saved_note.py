"""A line over the lower edge of a card that says where a file was saved, with links to it and to its folder."""

from __future__ import annotations

from html import escape
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QLabel, QWidget

from dqngui.gui.style import theme as themes
from dqngui.texts import say, words

SHOWN_MS = 20_000
EDGE = 6  # pixels from the edges of the card
_PLACE = "\ufffc"  # stands for the link while the sentence is made


class SavedNote(QLabel):
    """The sentence; it lies over the card, so that nothing moves, and disappears after 20 seconds."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._card = parent
        self.setObjectName("readout")
        self.setTextFormat(Qt.TextFormat.RichText)
        by = Qt.TextInteractionFlag
        self.setTextInteractionFlags(by.LinksAccessibleByMouse | by.LinksAccessibleByKeyboard)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.linkActivated.connect(self._open)
        self._timer = QTimer(self, interval=SHOWN_MS, singleShot=True)
        self._timer.timeout.connect(self.hide)
        parent.installEventFilter(self)
        self.hide()

    def show_path(self, path: Path) -> None:
        """Show where a file was saved."""
        path = path.absolute()
        color = themes.current().color("accent").name()
        links = [
            f'<a style="color: {color}" href="{escape(QUrl.fromLocalFile(str(each)).toString())}">{escape(text)}</a>'
            for each, text in ((path, path.name), (path.parent, "show folder"))
        ]
        sentence = escape(words(say("export.saved", name=_PLACE))).replace(_PLACE, links[0])
        self.setText(f"{sentence} · {links[1]}")
        self.setAccessibleName(words(say("export.saved", name=path.name)))
        self.setToolTip(str(path))
        self._place()
        self.show()
        self.raise_()
        self._timer.start()

    def _open(self, link: str) -> None:
        QDesktopServices.openUrl(QUrl(link))

    def _place(self) -> None:
        self.adjustSize()
        width = min(self.width(), self._card.width() - 2 * EDGE)
        self.setGeometry(EDGE, self._card.height() - self.height() - EDGE, width, self.height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False


def show_saved(card: QWidget, path: str | Path) -> SavedNote:
    """Say over a card where a file was saved."""
    note = card.findChild(SavedNote) or SavedNote(card)
    note.show_path(Path(path))
    return note


def hide_saved(card: QWidget) -> None:
    """Hide the sentence, so that it is in no picture of the card."""
    if (note := card.findChild(SavedNote)) is not None:
        note.hide()
