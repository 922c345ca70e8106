"""Encoders: the parts of an observation become tokens (T, B, K, D)."""

from dqngui.nets.encoders.encoder import Encoder
from dqngui.nets.encoders.vectors import VectorEncoder

__all__ = ["Encoder", "VectorEncoder"]
