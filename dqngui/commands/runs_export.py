"""`dqngui runs export RUN FILE.zip`: a run as one zip file."""

from __future__ import annotations

from pathlib import Path

from dqngui.bounded import MEGABYTE
from dqngui.commands.arguments import ExportRunArguments, shown_path
from dqngui.commands.experiments import run_folder
from dqngui.runs.archive import export_run
from dqngui.texts import say


def run(arguments: ExportRunArguments) -> int:
    """Write the zip and return the exit status. Raises ConfigError."""
    file = Path(arguments.archive)
    whole = export_run(run_folder(arguments.run, arguments.runs), file)
    shown, size = shown_path(str(file)), file.stat().st_size / MEGABYTE
    print(say("shown.exported", file=shown, size=size) if whole else say("shown.exported_part", file=shown, size=size))
    return 0
