"""Starts and stops the window, connects its parts, and measures its cost. No card, no menu."""
