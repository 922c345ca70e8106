"""The Agent card: picture, action values, controls of the player, driving by a person. Not the player itself."""
