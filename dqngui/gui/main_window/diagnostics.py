"""Text for *Copy diagnostics*: the error, its traceback and all versions."""

from __future__ import annotations

import platform
import sys
from importlib import metadata

import dqngui

_PACKAGES = ("torch", "numpy", "gymnasium", "PySide6-Essentials", "pyqtgraph", "msgspec")


def diagnostics(text: str, details: str = "", experiment: str = "") -> str:
    """A report to paste: the sentence, the traceback, the experiment as TOML, the versions."""
    versions = [f"dqngui {dqngui.__version__}", f"Python {sys.version.split()[0]}", platform.platform()]
    for name in _PACKAGES:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            versions.append(f"{name} missing")
    parts = [text, details.strip(), experiment.strip(), "\n".join(versions)]
    return "\n\n".join(part for part in parts if part)
