"""What the window knows, without a widget: state and logic. QtCore signals and timers at most; pictures are arrays."""
