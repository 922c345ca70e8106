"""The Probe card: which facts can be decoded from the agent's memory at each step. Not their computation."""
