"""The choice of the head and layer that are shown alone, and stepping to the next or previous one."""

from __future__ import annotations


class HeadChoice:
    """One of the heads of some layers, or all of them.

    Attributes:
        layers, heads: their numbers; 0 heads for a view without heads.
        layer, head: the chosen ones; None: all. A single layer is never chosen.
    """

    def __init__(self) -> None:
        self.layers, self.heads = 0, 0
        self.layer: int | None = None
        self.head: int | None = None

    @property
    def shows_all(self) -> bool:
        """Whether all heads and layers are shown."""
        return self.layer is None and self.head is None

    def set_counts(self, layers: int, heads: int) -> None:
        """Set the numbers of layers and heads; a choice that no longer exists is dropped."""
        self.layers, self.heads = layers, heads
        self.choose(self.layer, self.head)

    def choose(self, layer: int | None, head: int | None) -> None:
        """Choose a layer and a head; None or an invalid index: all. With several layers a head needs a layer."""
        self.layer = layer if layer is not None and 1 < self.layers > layer else None
        whole = head is None or head >= self.heads or (self.layers > 1 and self.layer is None)
        self.head = None if whole else head

    def step(self, by: int) -> bool:
        """Choose the next (1) or previous (-1) head, across layers; returns whether the choice changed."""
        across = max(self.heads, 1)
        count = across * self.layers
        if count < 2:
            return False
        at = (
            (0 if by > 0 else count - 1)
            if self.shows_all
            else ((self.layer or 0) * across + (self.head or 0) + by) % count
        )
        self.choose(at // across, at % across if self.heads else None)
        return True

    def step_layer(self, by: int) -> bool:
        """Choose the same head in the next (1) or previous (-1) layer; returns whether the choice changed."""
        if self.layers < 2:
            return False
        self.choose(
            (0 if by > 0 else -1) % self.layers if self.layer is None else (self.layer + by) % self.layers, self.head
        )
        return True
