"""Encoders: they turn the parts of an observation into tokens (T, B, K, D). Not what is done with the tokens."""

from dqngui.nets.encoders.encoder import Encoder
from dqngui.nets.encoders.vectors import VectorEncoder

__all__ = ["Encoder", "VectorEncoder"]
