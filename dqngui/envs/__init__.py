"""Environments: any gymnasium task as named parts of observation and a number of actions, and tasks of our own."""
