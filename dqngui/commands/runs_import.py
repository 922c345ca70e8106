"""`dqngui runs import FILE.zip`: take a run in from a zip file."""

from __future__ import annotations

from pathlib import Path

from dqngui.commands.arguments import ImportRunArguments, shown_path
from dqngui.runs.archive import import_run
from dqngui.texts import say


def run(arguments: ImportRunArguments) -> int:
    """Take the run in and return the exit status. Raises ConfigError."""
    folder = import_run(Path(arguments.archive), Path(arguments.runs))
    print(say("shown.imported", folder=shown_path(str(folder))))
    return 0
