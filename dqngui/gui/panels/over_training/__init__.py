"""The Over training card: how attention changed from checkpoint to checkpoint. Not curves of returns."""
