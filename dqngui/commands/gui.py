"""`dqngui [gui]`: the window."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dqngui.bounded import found
from dqngui.commands.arguments import GuiArguments
from dqngui.commands.experiments import chosen_experiment, run_folder
from dqngui.config import ConfigError
from dqngui.texts import say

SMALLEST = (800, 500)
LARGEST = (16_384, 16_384)


def run(arguments: GuiArguments) -> int:
    """Open the window and return the exit status once it is closed. Raises ConfigError."""
    if arguments.quit_after is not None and not 0 < arguments.quit_after < 1e6:
        raise ConfigError("command.quit_after")
    opened = _run_to_open(arguments)
    file = arguments.file if opened is None else None
    with _ended_after(arguments.quit_after):
        experiment = chosen_experiment(file, arguments.env, arguments.set, agent=arguments.agent)
    size = _size(arguments.size)
    if not 0 <= arguments.warm_up < 1e6:
        raise ConfigError("command.warm_up")
    _check_display()
    if sys.platform == "win32":
        import torch  # noqa: F401  Windows finds torch's libraries only if they are loaded before Qt's

    from dqngui.gui.app.app import run_window

    return run_window(
        experiment,
        runs=Path(arguments.runs),
        start=arguments.start,
        quit_after=arguments.quit_after,
        screenshots=Path(arguments.screenshots) if arguments.screenshots is not None else None,
        theme=arguments.theme,
        size=size,
        report=Path(arguments.report) if arguments.report is not None else None,
        warm_up=arguments.warm_up,
        opened=opened,
    )


@contextmanager
def _ended_after(seconds: float | None) -> Iterator[None]:
    """End the program if the block takes longer: it tries the environment, and a step may never return."""
    if seconds is None:
        yield
        return

    def end() -> None:
        print(say("command.task_hangs", seconds=seconds), file=sys.stderr, flush=True)
        os._exit(1)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _run_to_open(arguments: GuiArguments) -> Path | None:
    """The folder of the stored run that FILE names: a path, a name within --runs or `last`; None if it names none.

    Raises ConfigError for a folder that is no run, and for options that a stored run cannot take.
    """
    file = arguments.file
    if file is None:
        return None
    folder = run_folder(file, arguments.runs) if file == "last" else Path(file)
    if not found(Path.exists, folder):
        folder = Path(arguments.runs) / file
    if not found(Path.is_dir, folder):
        return None
    if not found(Path.is_file, folder / "experiment.toml"):
        raise ConfigError("command.no_run_at", folder=folder)
    if arguments.env is not None or arguments.agent is not None or arguments.set or arguments.start:
        raise ConfigError("command.open_alone")
    return folder


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,6})[xX×](\d{1,6})", text)
    if match is None:
        raise ConfigError("command.size", given=text)
    width, height = int(match[1]), int(match[2])
    if not (SMALLEST[0] <= width <= LARGEST[0] and SMALLEST[1] <= height <= LARGEST[1]):
        raise ConfigError(
            "command.size_range",
            given=text,
            smallest=f"{SMALLEST[0]}x{SMALLEST[1]}",
            largest=f"{LARGEST[0]}x{LARGEST[1]}",
        )
    return width, height


def _check_display() -> None:
    """Without a display Qt would abort the process; say what to do instead."""
    if sys.platform != "linux" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    ):
        return
    raise ConfigError("command.no_display")
