"""dqngui: a desktop laboratory for deep Q-networks with attention and memory."""

__version__ = "0.1.0"
