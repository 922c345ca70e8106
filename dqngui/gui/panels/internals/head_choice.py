"""Which head of which layer stands alone, and how one goes from head to head."""

from __future__ import annotations


class HeadChoice:
    """One of the heads of some layers, or all of them.

    Attributes:
        layers, heads: how many there are; a view without heads has 0.
        layer, head: which one; None: all. Where there is only one layer, none is chosen.
    """

    def __init__(self) -> None:
        self.layers, self.heads = 0, 0
        self.layer: int | None = None
        self.head: int | None = None

    @property
    def shows_all(self) -> bool:
        """None stands alone."""
        return self.layer is None and self.head is None

    def set_counts(self, layers: int, heads: int) -> None:
        """So many there are now; one that is not among them is let go."""
        self.layers, self.heads = layers, heads
        self.choose(self.layer, self.head)

    def choose(self, layer: int | None, head: int | None) -> None:
        """This one; None, or one that there is not: all. Of several layers a head alone is none."""
        self.layer = layer if layer is not None and 1 < self.layers > layer else None
        whole = head is None or head >= self.heads or (self.layers > 1 and self.layer is None)
        self.head = None if whole else head

    def step(self, by: int) -> bool:
        """The next head (1), or the one before (-1), from layer to layer; True: it is another one."""
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
        """The same of the next layer (1), or the one before (-1); True: it is another one."""
        if self.layers < 2:
            return False
        self.choose(
            (0 if by > 0 else -1) % self.layers if self.layer is None else (self.layer + by) % self.layers, self.head
        )
        return True
