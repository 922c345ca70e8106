"""The What if card: the player's episode compared with one with interventions or by another agent. Not the playing."""
