"""Small generic widgets: labels, notes, a choice button, a scroll area. They know nothing of runs or agents."""
