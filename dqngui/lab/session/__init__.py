"""The open run: its state, its training job, the edits that wait for a fork, its history. Not the agent that plays."""
