"""The What if card: an episode with interventions, or another agent on the same seed, beside the player's episode."""
