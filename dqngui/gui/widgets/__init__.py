"""Small generic widgets: labels, notes, a choice button, a scroll area. None knows of runs or agents."""
