"""The shape of the code: what classes, files and packages look like, who emits a signal, what tests reach into."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.texts_in_code import tree_of

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "dqngui"
LAB, GUI = PACKAGE / "lab", PACKAGE / "gui"
UPWARDS = {"parent", "parentWidget", "window", "nativeParentWidget"}
CONTRACTS = {"Protocol", "NamedTuple", "Enum", "StrEnum", "IntEnum"}
CLOCKS = {"time", "datetime", "QElapsedTimer", "QDateTime"}
MOST_METHODS, MOST_LINES, PRIVATE_BELOW = 40, 400, 20


def nodes(folder: Path) -> Iterator[tuple[str, ast.AST]]:
    """All nodes of all files below a folder, each with its file's path."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(tree_of(path)):
            yield path.relative_to(ROOT).as_posix(), node


def classes(folder: Path) -> list[tuple[str, ast.ClassDef]]:
    return [(file, node) for file, node in nodes(folder) if isinstance(node, ast.ClassDef)]


def base_names(node: ast.ClassDef) -> set[str]:
    """The last names of a class's bases: `Protocol` of `typing.Protocol[T]`."""
    bases = (base.value if isinstance(base, ast.Subscript) else base for base in node.bases)
    return {base.attr if isinstance(base, ast.Attribute) else ast.unparse(base) for base in bases}


def called(node: ast.Call) -> str:
    """The last name of what is called: `setattr` of `patch.setattr(...)`."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def is_own(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def emitted_elsewhere(tree: ast.AST) -> Iterator[ast.Attribute]:
    """Every `emit`, called or handed out, of a signal that is not an attribute of `self` itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "emit":
            signal = node.value
            if not (isinstance(signal, ast.Attribute) and is_own(signal.value)):
                yield node


def uses_time(node: ast.AST) -> bool:
    """Whether this is an import of a module that can read a clock; Qt's timers give no time."""
    if isinstance(node, ast.Import):
        return any(name.name in CLOCKS for name in node.names)
    if isinstance(node, ast.ImportFrom):
        return node.module in CLOCKS or any(name.name in CLOCKS for name in node.names)
    return False


def private_accesses(tree: ast.AST) -> Iterator[int]:
    """Lines that reach into something private.

    An attribute `x._name` of anything but `self` and `cls`, and a name that begins with one underscore in the text that
    `setattr`, `getattr` or `delattr` is given (also as a dotted path, `"dqngui.jobs.train._name"`). Names with two
    underscores are Python's own.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr) and not is_own(node.value):
            yield node.lineno
        if isinstance(node, ast.Call) and called(node) in ("setattr", "getattr", "delattr"):
            texts = (each.value for each in node.args[:2] if isinstance(each, ast.Constant))
            if any(isinstance(text, str) and is_private(text.rpartition(".")[2]) for text in texts):
                yield node.lineno


# -- classes and files --------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", [LAB, GUI], ids=["lab", "gui"])
def test_no_class_leaves_a_method_to_its_heirs(folder: Path) -> None:
    found = [
        (file, node.lineno)
        for file, node in nodes(folder)
        if isinstance(node, ast.Raise) and node.exc is not None and "NotImplementedError" in ast.unparse(node.exc)
    ]
    assert found == []


def test_no_class_of_lab_derives_from_another() -> None:
    own = classes(LAB)
    ancestors = {node.name for _, node in own if not base_names(node) & CONTRACTS}
    assert "Session" in ancestors
    assert [(file, node.name) for file, node in own if base_names(node) & ancestors] == []


def test_no_class_has_more_methods_than_one_can_keep_in_mind() -> None:
    sizes = {
        (file, node.name): sum(isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) for each in node.body)
        for file, node in classes(PACKAGE)
    }
    assert {name: count for name, count in sizes.items() if count > MOST_METHODS} == {}


def test_no_file_is_longer_than_one_can_overlook() -> None:
    sizes = {path: len(path.read_text("utf-8").splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {path.name: lines for path, lines in sizes.items() if lines > MOST_LINES} == {}


def test_every_package_says_what_lives_in_it() -> None:
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    silent = [
        folder.relative_to(ROOT).as_posix()
        for folder in folders
        if not (folder / "__init__.py").exists() or ast.get_docstring(tree_of(folder / "__init__.py")) is None
    ]
    assert silent == []


# -- who knows whom -----------------------------------------------------------------------------------


def test_lab_reads_the_time_only_where_the_clocks_are_chosen() -> None:
    """Everything else is given a clock or the present time, so that a test decides what time it is."""
    assert {file for file, node in nodes(LAB) if uses_time(node)} == {"dqngui/lab/background/timing.py"}


def test_use_of_the_clock_is_recognised() -> None:
    source = "import time\nimport os, time as t\nfrom time import monotonic\nfrom datetime import datetime\nlog.time()"
    assert [node.lineno for node in ast.walk(ast.parse(source)) if uses_time(node)] == [1, 2, 3, 4]


def test_no_panel_climbs_the_tree_of_widgets_to_find_others() -> None:
    found = [
        (file, node.lineno)
        for file, node in nodes(GUI / "panels")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in UPWARDS
    ]
    assert found == []


def test_nobody_emits_the_signal_of_another_object() -> None:
    found = [
        (path.name, node.lineno) for path in sorted(PACKAGE.rglob("*.py")) for node in emitted_elsewhere(tree_of(path))
    ]
    assert found == []


def test_a_signal_of_another_object_is_recognised() -> None:
    source = "self.changed.emit()\nself._player.changed.emit()\nplayer.changed.emit()\nconnect(self._list.reset.emit)"
    assert sorted(node.lineno for node in emitted_elsewhere(ast.parse(source))) == [2, 3, 4]


def test_tests_hardly_reach_into_what_is_private() -> None:
    """What is left are faults put in on purpose and other libraries."""
    found = {path.name: list(private_accesses(tree_of(path))) for path in sorted((ROOT / "tests").rglob("*.py"))}
    assert sum(map(len, found.values())) < PRIVATE_BELOW, {name: lines for name, lines in found.items() if lines}


def test_reaching_into_what_is_private_is_recognised() -> None:
    source = 'self._own\npanel._list\npatch.setattr(module, "_name", 1)\npatch.setattr("dqngui.a._b", 1)\nx.__dict__'
    assert sorted(private_accesses(ast.parse(source))) == [2, 3, 4]
