"""Kinds of arguments that several commands have: runs, presets, settings, numbers."""

from __future__ import annotations

from typing import Annotated, Any

import tyro
from tyro.conf import Positional, UseAppendAction
from tyro.constructors import PrimitiveConstructorSpec

from dqngui.presets import agent_names
from dqngui.texts import ReadableError
from dqngui.texts.reading_numbers import parse as read_number


def option(help: str, metavar: str | None = None) -> Any:
    """Help of one argument, without tyro's `(default: None)`."""
    return tyro.conf.arg(help=help, metavar=metavar, help_behavior_hint="")


def _number(*, whole: bool) -> PrimitiveConstructorSpec[Any]:
    """How an argument that is a number is read: as with `--set` and in the form."""

    def read(given: list[str]) -> int | float:
        try:
            return read_number(given[0], whole)
        except ReadableError as error:
            raise ValueError(str(error) if given[0] in str(error) else f"{given[0]}: {error}") from None

    return PrimitiveConstructorSpec(
        nargs=1,
        metavar="N",
        instance_from_str=read,
        is_instance=lambda value: value is None or isinstance(value, (int, float)),
        str_from_instance=lambda value: [str(value)],
    )


WHOLE, NUMBER = _number(whole=True), _number(whole=False)

File = Annotated[str | None, Positional, option("TOML file, or the name of a preset in configs/.", "FILE")]
FileOrRun = Annotated[
    str | None,
    Positional,
    option("TOML file, name of a preset in configs/, or a stored run: its folder, name or `last`.", "FILE|RUN"),
]
Run = Annotated[str, Positional, option("A run's folder, its name within --runs, or `last`.", "RUN")]
Env = Annotated[str | None, option("Put the default agent on any gymnasium environment instead.", "ID")]
Agent = Annotated[
    str | None, option(f"Use another agent on the task: {', '.join(agent_names())}; --set still changes it.", "NAME")
]
Set = Annotated[
    UseAppendAction[tuple[str, ...]],
    option("Change a setting, for example learn.lr=1e-3 (repeatable).", "NAME=VALUE"),
]
Runs = Annotated[str, option("Folder that holds the runs' folders (default: runs).", "DIR")]
Trust = Annotated[
    bool,
    option("Trust the stored run: let it import the code that it names, now and later. Only if you know its origin."),
]
Json = Annotated[bool, option("Write one event a line, as JSON, to standard output.")]
