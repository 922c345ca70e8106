"""Environments: any gymnasium task as parts of an observation and a number of actions, and our own tasks. No agents."""
