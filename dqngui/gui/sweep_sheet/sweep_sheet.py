from PySide6.QtWidgets import QDialog


class SweepSheet(QDialog):
    def __init__(self, session, queue, parent):
        super().__init__(parent)
