"""Memories over the steps of an episode; their common contract is in `contract`."""
