"""Work in the background, and the contract by which the window asks it to stop. Nothing here knows what the work is."""
