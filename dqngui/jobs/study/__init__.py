"""The study job: answers questions about an agent's attention and memory from many episodes. Not the player."""
