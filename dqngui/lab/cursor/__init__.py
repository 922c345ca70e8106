"""The cursor that all cards share: live, or pinned to a recorded training episode. Not the player."""
