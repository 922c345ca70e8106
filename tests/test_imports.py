"""What must not be loaded too early: torch takes seconds, so only training may wait for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

HEAVY = ("torch", "stable_baselines3", "PySide6", "pyqtgraph")


def loaded_by(statements: str) -> set[str]:
    """Heavy packages in a fresh interpreter after these statements."""
    code = (
        f"import json, sys\ntry:\n    {statements}\nexcept SystemExit:\n    pass\n"
        f"print('\\n' + json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
    return set(json.loads(done.stdout.rsplit("\n", 2)[-2]))


@pytest.mark.parametrize(
    "statements",
    [
        "import dqngui.schema, dqngui.catalog, dqngui.config, dqngui.presets, dqngui.messages",
        "import dqngui.hosts, dqngui.jobs.inbox, dqngui.runs.folder",
        "from dqngui.__main__ import main; main(['--help'])",
        "from dqngui.__main__ import main; main(['train', '--help'])",
        "from dqngui.__main__ import main; main(['runs'])",
        "from dqngui.__main__ import main; main(['train', '--set', 'learn.lr=-1'])",
    ],
)
def test_light_things_load_nothing_heavy(statements: str) -> None:
    assert loaded_by(statements) == set()


def test_the_window_is_imported_without_torch() -> None:
    assert loaded_by("import dqngui.gui.app.app") == {"PySide6", "pyqtgraph"}


def test_making_an_environment_needs_no_torch() -> None:
    assert loaded_by("from dqngui.defaults import *; default_experiment(EnvConfig())") == set()
