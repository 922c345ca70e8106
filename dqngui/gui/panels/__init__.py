"""One folder per card, or per group of cards with common code. No card imports another one."""
