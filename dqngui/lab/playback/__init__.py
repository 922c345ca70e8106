"""The agent that plays: its process, its episode, its clock, and the pictures that were drawn. Not what is computed from episodes."""
