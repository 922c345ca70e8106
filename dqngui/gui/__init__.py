"""The window: what a person sees and points at. The only room that imports QtGui, QtWidgets and pyqtgraph."""
