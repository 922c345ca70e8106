"""The environment's picture and what the agent observes, with marks on them. Not the rest of the Agent card."""
