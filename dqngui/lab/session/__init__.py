"""The open run: its state and history, the job that trains it, the draft of the next run. Not the agent that plays."""
