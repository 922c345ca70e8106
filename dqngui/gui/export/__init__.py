"""Films and arrays of an episode, written to files in the background. Not tables and pictures of a card: see cards."""
