"""`dqngui export RUN... --to FORMAT`: runs for other programs, or as a report that opens in a browser."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from dqngui.bounded import found
from dqngui.commands.arguments import shown_path
from dqngui.commands.arguments_of_many import ExportArguments
from dqngui.commands.experiments import run_folder, tell_now
from dqngui.config import ConfigError
from dqngui.export.exported_run import read_run
from dqngui.export.exporting import Progress, export
from dqngui.export.sink import FORMATS, Target
from dqngui.hosts.signals import caught
from dqngui.runs.folder import has_experiment
from dqngui.runs.nested import find_runs
from dqngui.texts import say

INTERRUPTED = 130


def run(arguments: ExportArguments) -> int:
    """Export the runs and return the exit status. Raises ConfigError."""
    if arguments.to not in FORMATS:
        raise ConfigError("exported.no_format", name=arguments.to, known=list(FORMATS))
    if arguments.follow and arguments.to == "html":
        raise ConfigError("exported.follow_alone")
    if arguments.online and arguments.to != "wandb":
        raise ConfigError("exported.online_alone")
    runs = [read_run(folder) for folder in dict.fromkeys(_folders(arguments))]
    if not runs:
        raise ConfigError("exported.no_runs")
    target = Target(arguments.out, arguments.project, arguments.online, arguments.trust)
    progress = Progress()

    def stop(number: int, frame: FrameType | None) -> None:
        if progress.stop or not arguments.follow:
            raise KeyboardInterrupt  # what is not whole is removed
        progress.stop = True

    with caught(stop):
        place = export(arguments.to, runs, target, follow=arguments.follow, progress=progress, tell=tell_now)
    if progress.stopped:
        if place:
            print(say("exported.stopped", path=place), file=sys.stderr)
        return INTERRUPTED
    place = shown_path(place) if Path(place).is_absolute() else place
    print(say("exported.report_done", path=place) if arguments.to == "html" else
          say("exported.done", rows=progress.rows, path=place))  # fmt: skip
    return 0


def _folders(arguments: ExportArguments) -> Iterator[Path]:
    """The folders of the runs that were named; of a folder of runs, those of all its runs. Raises ConfigError."""
    for name in arguments.names:
        folder = run_folder(name, arguments.runs)
        inside = [] if has_experiment(folder) else [Path(each) for each in sorted(find_runs(folder).runs)]
        runs = [each for each in inside if found(Path.is_dir, each) and has_experiment(each)]
        yield from (each.absolute() for each in runs or [folder])
