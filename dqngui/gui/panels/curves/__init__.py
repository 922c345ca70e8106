"""The cards with curves over training: Return, Learning, Exploration and speed. Not curves over an episode."""
