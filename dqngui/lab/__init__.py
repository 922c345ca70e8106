"""What the window knows, without a widget. QtCore signals and timers at most; pictures are arrays."""
