"""Colours, type, icons and the stylesheet, dark and light. No widgets."""
