"""Common parts of all cards: frame, header, the Panel contract, the pinned badge. Not the places of cards."""
