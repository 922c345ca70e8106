"""An entry of the catalog: describes one module and imports it when asked."""

from __future__ import annotations

import importlib
from typing import Any

import msgspec

from dqngui.schema import Options


class Entry(msgspec.Struct, frozen=True):
    """One module that can be chosen.

    Attributes:
        summary: one line for help and tooltips.
        target: `module:object`.
        options: its settings.
        needs: the pip requirement that it needs.
        label: its name in the window; empty: the catalog's name.
    """

    summary: str
    target: str
    options: type[Options] = Options
    needs: str = ""
    label: str = ""


class AlgorithmEntry(Entry, frozen=True):
    """A learning algorithm; `network` is the class of its networks, as `module:object`."""

    network: str = ""


def load(entry: Entry) -> Any:
    """Import and return the object an entry names."""
    return load_target(entry.target)


def load_target(target: str) -> Any:
    """Import and return `module:object`."""
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)
