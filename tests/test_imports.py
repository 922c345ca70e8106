"""What must not be loaded too early, since torch takes seconds; and that imports of modules make no circle."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.import_circles import ROOT, circles, import_graph, imported_by, modules_of

HEAVY = ("torch", "stable_baselines3", "PySide6", "pyqtgraph")
OF_WIDGETS = ("torch", "pyqtgraph", "qtawesome", "PySide6.QtGui", "PySide6.QtWidgets")


def loaded_by(statements: str, heavy: tuple[str, ...] = HEAVY) -> set[str]:
    """Those of the heavy modules that a fresh interpreter has loaded after these statements."""
    code = (
        f"import json, sys\ntry:\n    {statements}\nexcept SystemExit:\n    pass\n"
        f"print('\\n' + json.dumps([name for name in {heavy!r} if name in sys.modules]))"
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
def test_light_modules_load_no_heavy_ones(statements: str) -> None:
    assert loaded_by(statements) == set()


def test_the_window_is_imported_without_torch() -> None:
    assert loaded_by("import dqngui.gui.app.app") == {"PySide6", "pyqtgraph"}


LAB = sorted(name for name in modules_of(ROOT / "dqngui") if name.startswith("dqngui.lab"))


def test_what_the_window_knows_is_imported_without_widgets_plots_and_torch() -> None:
    assert "dqngui.lab.session.session" in LAB
    assert loaded_by(f"import {', '.join(LAB)}", OF_WIDGETS) == set()


def test_making_an_environment_needs_no_torch() -> None:
    assert loaded_by("from dqngui.defaults import *; default_experiment(EnvConfig())") == set()


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles(import_graph(ROOT / "dqngui")) == []


def test_a_circle_is_found_and_what_only_leads_to_it_is_left_out() -> None:
    graph = {"first": {"a", "leaf"}, "a": {"b"}, "b": {"c", "leaf"}, "c": {"a"}, "leaf": set()}
    [circle] = circles(graph)
    assert sorted(circle) == ["a", "b", "c"]
    assert all(graph[one] >= {other} for one, other in zip(circle, [*circle[1:], circle[0]], strict=True))


def test_late_imports_and_those_for_the_type_checker_count() -> None:
    source = """
from package import module, name
if TYPE_CHECKING:
    from package.other import Thing
def late():
    import package.late
    from elsewhere import package
"""
    known = dict.fromkeys(("package", "package.module", "package.other", "package.late"))
    assert sorted(imported_by(source, known)) == ["package", "package.late", "package.module", "package.other"]
