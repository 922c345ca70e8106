"""The open run: its state, history, training job, and the draft of the next run. Not the playing agent."""
