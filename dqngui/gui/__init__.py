"""What the window shows, in folders by what a person points at. Only it imports QtGui, QtWidgets and pyqtgraph."""
