"""Finds circles of imports among the modules of dqngui.

`python -m tests.import_circles` prints them; the exit status is 1 if there are any.
Every import counts: at the top of a module, inside a function, and those for the type checker only. That Python loads a
package before its modules does not count.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]


def modules_of(package: Path) -> dict[str, Path]:
    """Files by the dotted names of their modules."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported_by(source: str, modules: Mapping[str, object]) -> Iterator[str]:
    """The modules that a source text imports, of those that are known."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                if name in modules:
                    yield name
                elif node.module in modules:
                    yield node.module


def import_graph(package: Path) -> dict[str, set[str]]:
    """For each module of a package the modules of the package that it imports."""
    modules = modules_of(package)
    return {name: set(imported_by(path.read_text("utf-8"), modules)) - {name} for name, path in modules.items()}


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Circles, each in the order in which its modules import each other: without one import of each there are none."""
    left, found = {name: set(imports) for name, imports in graph.items()}, []
    while left:
        name = next(iter(left))
        path: list[str] = []
        while name not in path:  # walk on until a module comes again, or one imports nothing that is left
            path.append(name)
            following = sorted(left[name] & left.keys())
            if not following:
                del left[path.pop()]
                if not path:
                    break
                name = path.pop()
            else:
                name = following[0]
        else:
            circle = path[path.index(name) :]
            found.append(circle)
            left[circle[-1]].discard(circle[0])
    return found


def main() -> int:
    """Print every circle and return the exit status."""
    found = circles(import_graph(ROOT / "dqngui"))
    for circle in found:
        print(" -> ".join([*circle, circle[0]]))
    if not found:
        print("No circles of imports.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
