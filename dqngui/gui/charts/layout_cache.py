"""A layout that is computed when it is first asked for, and again only after a change or for another size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QSize

Layout = TypeVar("Layout")


class LayoutCache:
    """Keeps what a widget draws from one paint to the next."""

    def __init__(self) -> None:
        self._kept: tuple[QSize, Any] | None = None

    def forget(self) -> None:
        """The data have changed."""
        self._kept = None

    def get(self, size: QSize, lay_out: Callable[[], Layout]) -> Layout:
        """The layout for a size, from `lay_out` where it is not known yet."""
        if self._kept is None or self._kept[0] != size:
            self._kept = size, lay_out()
        found: Layout = self._kept[1]
        return found
