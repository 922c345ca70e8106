"""Caches a layout: it is computed on first use, and again after a change or for another size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QSize

Layout = TypeVar("Layout")


class LayoutCache:
    """Caches the layout of a widget between two paints."""

    def __init__(self) -> None:
        self._kept: tuple[QSize, Any] | None = None

    def forget(self) -> None:
        """Drop the layout, because the data have changed."""
        self._kept = None

    def get(self, size: QSize, lay_out: Callable[[], Layout]) -> Layout:
        """The layout for a size; calls `lay_out` if it is not cached."""
        if self._kept is None or self._kept[0] != size:
            self._kept = size, lay_out()
        found: Layout = self._kept[1]
        return found
