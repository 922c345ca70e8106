"""The Probe card: what can be read from the agent's memory, step by step. Not how it is computed."""
