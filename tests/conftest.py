"""Qt without a display: an offscreen screen large enough for the window. Garbage is collected between tests only."""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
from pathlib import Path

from tests.trained_agents import tmaze_run  # noqa: F401  # a fixture

_SCREEN = {
    "screens": [
        {"name": "A", "x": 0, "y": 0, "width": 2560, "height": 1440, "logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}
    ]
}

_STATE = tempfile.TemporaryDirectory(prefix="dqngui-state-")

FULL_COLLECTION_EVERY = 400
"""Collections of the young objects, at least one a test, from one collection of all objects to the next."""


def pytest_configure() -> None:
    """Runs before Qt is imported; an explicit QT_QPA_PLATFORM (xcb under Xvfb) is left alone."""
    gc.disable()  # in a test's thread it would destroy widgets that a former test left
    os.environ["XDG_STATE_HOME"] = os.environ["LOCALAPPDATA"] = _STATE.name  # what a user trusts is not the tests'
    if "QT_QPA_PLATFORM" not in os.environ:
        path = Path(tempfile.gettempdir()) / f"dqngui-screen-{os.getuid() if hasattr(os, 'getuid') else 0}.json"
        path.write_text(json.dumps(_SCREEN))
        os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={path}"


def pytest_runtest_logfinish() -> None:
    """What a test leaves goes with the young objects; a search of all takes a sixth of a second beside torch."""
    delete_widgets()
    gc.unfreeze()  # windows of former tests too would stay for ever
    gc.collect(1)
    if gc.get_count()[2] > FULL_COLLECTION_EVERY:
        gc.collect()


def delete_widgets() -> None:
    """Carry out every `deleteLater`: a widget that stays is styled again by each later window."""
    core = sys.modules.get("PySide6.QtCore")
    if core is not None and core.QCoreApplication.instance() is not None:
        core.QCoreApplication.sendPostedEvents(None, core.QEvent.Type.DeferredDelete.value)
