"""Attentions over the tokens of one step; their common contract is in `contract`."""
