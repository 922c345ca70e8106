"""The agent that plays: its process, its episode, its playhead and its pictures. Not what is computed from episodes."""
