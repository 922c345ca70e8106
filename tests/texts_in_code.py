"""Finds the texts that the code makes, and the arguments that the sentences of the catalog have."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

import dqngui
from dqngui.texts.english import ENGLISH
from dqngui.texts.language import Plural

CATALOG = ENGLISH.templates
MAKERS = {"say", "ConfigError", "UsageError", "ReadableError"}
PACKAGE = Path(dqngui.__file__).parent


def templates(entry: str | Plural) -> list[str]:
    """All wordings of one entry."""
    return list(entry.forms.values()) if isinstance(entry, Plural) else [entry]


def fields(entry: str | Plural) -> dict[str, str]:
    """Names of an entry's arguments, with their formats."""
    parts = (part for template in templates(entry) for part in Formatter().parse(template))
    return {name: spec or "" for _, name, spec, _ in parts if name is not None}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        if PACKAGE / "texts" / "english" not in path.parents:
            yield path, tree_of(path)


@cache
def made() -> list[tuple[str, ast.Call, set[str]]]:
    """Every place where a text or a readable error is made: where, the call, and the keys that it chooses from."""
    return [place for path, tree in sources() for place in places(path, tree)]


def places(path: Path, tree: ast.Module) -> Iterator[tuple[str, ast.Call, set[str]]]:
    """Those places of one file."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    inside = {id(call) for function in functions for call in makers(function)}
    yield from (
        (f"{path.relative_to(PACKAGE)}:{call.lineno}", call, keys_of(call.args[0], chosen))
        for chosen, calls in [
            *((choices(function), makers(function)) for function in functions),
            ({}, [call for call in makers(tree) if id(call) not in inside]),
        ]
        for call in calls
    )


def makers(tree: ast.AST) -> list[ast.Call]:
    """Calls that make a text or a readable error."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in MAKERS]


def choices(function: ast.FunctionDef) -> dict[str, set[str]]:
    """The strings that each variable of a function may hold, where they stand there."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, set()).update(keys_of(node.value, {}))
    return found


def keys_of(given: ast.expr, chosen: dict[str, set[str]]) -> set[str]:
    """The keys that stand in the call, or in the variable that it uses; none where it was given a finished Text."""
    if isinstance(given, ast.IfExp):
        return keys_of(given.body, chosen) | keys_of(given.orelse, chosen)
    if isinstance(given, ast.JoinedStr):
        return {ast.unparse(given)}
    if isinstance(given, ast.Constant):
        return {given.value}
    return chosen.get(given.id, set()) if isinstance(given, ast.Name) else set()
