"""The studying job: it answers questions about an agent's attention and memory from many episodes played at once."""
