"""The Attention and Memory cards: views of the agent at each step, and whether attention explains its actions."""
