"""The Agent card: the playing agent's world, its action values, the player's controls, driving by hand."""
