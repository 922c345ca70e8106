"""The Attention and Memory cards: what is inside the agent at each step, and whether its maps explain it."""
