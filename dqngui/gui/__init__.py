"""The window: theme, cards, panels, session. The only room that imports PySide6 and pyqtgraph."""
