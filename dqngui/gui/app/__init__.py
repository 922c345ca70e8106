"""Starts and stops the window, puts its parts together, and measures what it costs. No card, no menu."""
