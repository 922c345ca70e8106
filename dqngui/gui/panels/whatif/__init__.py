"""The What if card: an episode with interventions, or another agent, beside the player's. Not how they are played."""
