"""The studying job: what many episodes of an agent, played at once, say about its attention and its memory."""
