"""Cards that draw curves over training: Return, Learning, Exploration and speed."""
