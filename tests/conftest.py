"""Qt without a display: an offscreen screen large enough for the window."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from tests.trained_agents import tmaze_run  # noqa: F401  # a fixture

_SCREEN = {
    "screens": [
        {"name": "A", "x": 0, "y": 0, "width": 2560, "height": 1440, "logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}
    ]
}


def pytest_configure() -> None:
    """Runs before Qt is imported; an explicit QT_QPA_PLATFORM (xcb under Xvfb) is left alone."""
    if "QT_QPA_PLATFORM" not in os.environ:
        path = Path(tempfile.gettempdir()) / f"dqngui-screen-{os.getuid() if hasattr(os, 'getuid') else 0}.json"
        path.write_text(json.dumps(_SCREEN))
        os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={path}"
