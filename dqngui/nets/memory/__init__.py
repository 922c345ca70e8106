"""Memories over the steps of an episode; all keep the contract of `memory.contract`."""
