"""Environments: any gymnasium task as named observation parts and a number of actions, and tasks of our own."""
