"""The arguments of each command, one struct a command, and how they are parsed."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import tyro
from tyro.conf import Positional, UseAppendAction

from dqngui import __version__
from dqngui.commands.arguments_of_many import (
    BacktestArguments,
    CompareArguments,
    ExportArguments,
    ExportRunArguments,
    ImportRunArguments,
    LabelArguments,
    QueueArguments,
    SteerArguments,
    SweepArguments,
    WorkArguments,
)
from dqngui.commands.options import (
    NUMBER,
    WHOLE,
    Agent,
    Env,
    File,
    FileOrRun,
    Json,
    Runs,
    Set,
    Trust,
    option,
)
from dqngui.texts import ReadableError, Text, say


class UsageError(ReadableError):
    """The error for a command line that cannot be understood."""


@dataclass(frozen=True)
class GuiArguments:
    """Open the window: watch an agent learn and change its live settings, or look at a stored run."""

    file: FileOrRun = None
    env: Env = None
    agent: Agent = None
    set: Set = ()
    runs: Runs = "runs"
    start: Annotated[bool, option("Start training at once.")] = False
    quit_after: Annotated[float | None, NUMBER, option("Close the window after this many seconds.", "SECONDS")] = None
    screenshots: Annotated[str | None, option("Write pictures of the window to this folder.", "DIR")] = None
    theme: Annotated[
        Literal["dark", "light"] | None, option("Colours (default: the last choice, or the system's).")
    ] = None
    size: Annotated[str | None, option("Size of the window, for example 1440x900.", "WxH")] = None
    report: Annotated[str | None, option("Write what the window measured to this file.", "FILE.json")] = None
    warm_up: Annotated[float, NUMBER, option("Start measuring this many seconds after the first step.", "SECONDS")] = (
        0.0
    )


@dataclass(frozen=True)
class TrainArguments:
    """Train an agent, or one agent a seed."""

    file: File = None
    env: Env = None
    agent: Agent = None
    set: Set = ()
    steps: Annotated[int | None, WHOLE, option("Environment steps (run.total_steps).", "N")] = None
    seed: Annotated[int | None, WHOLE, option("Seed of everything random (run.seed).", "S")] = None
    runs: Runs = "runs"
    host: Annotated[Literal["inline", "thread", "process"], option("Where training runs (default: inline).")] = "inline"
    json: Json = False
    resume: Annotated[str | None, option("Continue this run from its last checkpoint.", "RUN")] = None
    fork: Annotated[
        str | None,
        option("Start a new run from this run's last checkpoint, changed by --set and other options.", "RUN"),
    ] = None
    trust: Trust = False
    replay_knobs: Annotated[str | None, option("Change live settings at the same steps as this run did.", "RUN")] = None
    break_: Annotated[
        UseAppendAction[tuple[str, ...]],
        tyro.conf.arg(
            name="break",
            help="Save and stop, with status 3, when this holds: loss > 10, return < 50, loss nan (repeatable).",
            metavar="CONDITION",
            help_behavior_hint="",
        ),
    ] = ()
    stop_at: Annotated[
        float | None, NUMBER, option("Stop when two evaluations both reach this mean return (run.stop_at).", "RETURN")
    ] = None
    seeds: Annotated[str | None, option("Train once a seed, for example 0-4 or 0,3,7.", "SEEDS")] = None
    jobs: Annotated[int, WHOLE, option("Seeds trained at the same time (default: 1).", "N")] = 1
    test_episodes: Annotated[
        int, WHOLE, option("With --seeds: greedy test episodes of each best checkpoint (default: 20).", "N")
    ] = 20


@dataclass(frozen=True)
class PlayArguments:
    """Play a stored agent, or the trained agent of a preset, greedily."""

    run: Annotated[
        str,
        Positional,
        option("A run's folder, its name within --runs, `last`, or a preset with an agent in the zoo.", "PRESET|RUN"),
    ]
    checkpoint: Annotated[str, option("best, last or a step (default: best).", "NAME")] = "best"
    episodes: Annotated[int, WHOLE, option("Episodes to play (default: 10).", "N")] = 10
    seed: Annotated[int | None, WHOLE, option("Seed of the first episode; the next ones count up.", "S")] = None
    video: Annotated[str | None, option("Write a film of the episodes, .mp4 or .gif.", "FILE")] = None
    trust: Trust = False
    runs: Runs = "runs"
    json: Json = False


@dataclass(frozen=True)
class RunsArguments:
    """List the runs of a folder. See also `dqngui runs label`, `dqngui runs export`, `dqngui runs import`."""

    folder: Annotated[str, Positional, option("Folder that holds the runs' folders (default: runs).", "DIR")] = "runs"
    filter: Annotated[
        str, option('Only runs with all of this: "memory=gru best>400 tag:paper updated>2026-11-01".', "QUERY")
    ] = ""
    columns: Annotated[str, option("Show these settings and figures, as best,lr,tags.", "NAMES")] = ""
    sort: Annotated[str, option("Sort by a setting or figure (default: the newest first).", "NAME")] = ""
    descending: Annotated[bool, option("With --sort: the highest first.")] = False
    group: Annotated[str, option("Group by a setting or figure, as memory or folder.", "NAME")] = ""
    json: Json = False


COMMANDS: dict[str, type] = {
    "gui": GuiArguments,
    "train": TrainArguments,
    "play": PlayArguments,
    "runs": RunsArguments,
    "runs label": LabelArguments,
    "runs export": ExportRunArguments,
    "runs import": ImportRunArguments,
    "queue": QueueArguments,
    "work": WorkArguments,
    "sweep": SweepArguments,
    "steer": SteerArguments,
    "compare": CompareArguments,
    "backtest": BacktestArguments,
    "export": ExportArguments,
}

OVERVIEW = """A desktop laboratory for deep Q-networks with attention and memory.

Commands (each has its own --help):
  dqngui [gui] [FILE]   the window; also the command when none is named
  dqngui [gui] FOLDER   the window with a stored run
  dqngui train [FILE]   train without a window
  dqngui play RUN       play a stored agent
  dqngui runs [DIR]     list stored runs; runs label, export, import: see there
  dqngui queue ACTION   add runs to the queue, show and change it
  dqngui work           train the queue
  dqngui sweep FILE     train many settings and seeds
  dqngui steer RUN      steer a run that trains elsewhere
  dqngui compare RUN... compare stored runs
  dqngui backtest RUN.. let trained agents trade through unseen prices
  dqngui export RUN...  take stored runs to other programs, or make a report of them"""


def parse(argv: Sequence[str]) -> tuple[str, Any]:
    """Name and arguments of the command. Raises UsageError; `--help` and `--version` print and exit with 0."""
    argv = list(argv)
    if argv == ["--version"]:
        print(f"dqngui {__version__}")
        sys.exit(0)
    words = next((count for count in (2, 1) if " ".join(argv[:count]) in COMMANDS and len(argv) >= count), 0)
    named, name = bool(words), " ".join(argv[:words]) or "gui"
    del argv[:words]
    prog = f"dqngui {name}" if named else "dqngui"
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            arguments: Any = tyro.cli(
                COMMANDS[name],
                prog=prog,
                description=None if named else OVERVIEW,
                args=_one_value_each(argv),
                config=(tyro.conf.FlagCreatePairsOff, tyro.conf.DisallowNone),
            )
    except SystemExit as error:
        if error.code in (0, None):
            raise
        raise UsageError("command.wrong", program=prog, problem=_problem(complaint.getvalue())) from None
    return name.replace(" ", "_"), arguments


def _one_value_each(argv: Sequence[str]) -> list[str]:
    """`--set a=1 b=2` means `--set a=1 --set b=2`."""
    spread: list[str] = []
    in_set = False
    for word in argv:
        if in_set and spread[-1] != "--set" and "=" in word and not word.startswith("-"):
            spread.append("--set")
        elif spread[-1:] != ["--set"]:
            in_set = word == "--set"
        spread.append(word)
    return spread


_UNREAD = re.compile(r"Error parsing (.+?): (.*)")


def _problem(box: str) -> Text | str:
    """What is wrong, from the first sentence inside the frame that tyro draws around an error."""
    lines = [line.strip("│ ") for line in box.splitlines()[1:]]
    said: list[str] = []
    for line in lines:
        rule = line.startswith(("─", "---"))  # a frame without Unicode has one under its title
        if said and (not line or rule or line.startswith(("╰", "Got errors"))):
            break
        if line and not rule:
            said.append(line)
    text = " ".join(said).rstrip(".")
    if not text:
        return say("command.unclear")
    if (found := _UNREAD.match(text)) is not None:
        return say("command.unread", name=found[1], problem=found[2])
    if (found := re.search(r"missing from dqngui \w+: (\S+) .*", text, flags=re.IGNORECASE)) is not None:
        return say("command.missing", name=found[1])
    text = text.replace(". Expected 1 values", "")
    return text if text.startswith("RUN") else text[0].lower() + text[1:]


def with_absolute_paths(arguments: Any) -> Any:
    """The same arguments with absolute paths, because an environment may change the working directory.

    A name of a run or of a preset stays as it is.
    """
    paths = {
        name
        for name in ("runs", "report", "screenshots", "video", "archive")
        if getattr(arguments, name, None) is not None
    }
    for name in ("file", "run", "resume", "fork", "replay_knobs"):
        given = getattr(arguments, name, None)
        if isinstance(given, str) and os.path.exists(given):
            paths.add(name)
    return replace(arguments, **{name: os.path.abspath(getattr(arguments, name)) for name in paths})


def shown_path(path: str) -> str:
    """An absolute path as it is shown: relative to the working directory if it lies below it."""
    below = os.path.relpath(path) if os.path.splitdrive(path)[0] == os.path.splitdrive(os.getcwd())[0] else path
    return path if below.startswith(os.pardir) else below
