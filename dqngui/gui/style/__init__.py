"""Colours, type, icons and the stylesheet, dark and light. Not what any one widget paints."""
