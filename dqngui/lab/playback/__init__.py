"""The agent that plays: its process, its episode, its clock, and its pictures. Not what is computed from episodes."""
