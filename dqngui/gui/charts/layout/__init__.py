"""What charts draw: places, labels and ticks as plain numbers; no widget, no font, no screen."""
