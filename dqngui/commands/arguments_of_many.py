"""The arguments of the commands that are about many runs, one struct a command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from tyro.conf import Positional, UseAppendAction

from dqngui.commands.options import NUMBER, WHOLE, Agent, Env, Json, Run, Runs, Set, Trust, option


@dataclass(frozen=True)
class QueueArguments:
    """Show or change the queue of a folder of runs; `dqngui work` trains it."""

    action: Annotated[
        Literal["list", "add", "move", "pause", "resume", "retry", "cancel", "remove", "set"],
        Positional,
        option("What to do (default: list)."),
    ] = "list"
    names: Annotated[
        tuple[str, ...],
        Positional,
        option("With add: a TOML file or a preset. Else entries: numbers, runs, or `all`.", "NAME"),
    ] = ()
    env: Env = None
    agent: Agent = None
    set: Set = ()
    steps: Annotated[int | None, WHOLE, option("Environment steps (run.total_steps).", "N")] = None
    seed: Annotated[int | None, WHOLE, option("Seed of everything random (run.seed).", "S")] = None
    seeds: Annotated[str | None, option("Add a run for each seed, for example 0-4 or 0,3,7.", "SEEDS")] = None
    resume: Annotated[str | None, option("Continue this run from its last checkpoint.", "RUN")] = None
    fork: Annotated[str | None, option("Start a new run from this run's last checkpoint.", "RUN")] = None
    stop_at: Annotated[
        float | None, NUMBER, option("Stop when two evaluations both reach this mean return (run.stop_at).", "RETURN")
    ] = None
    first: Annotated[bool, option("Add before all others.")] = False
    to: Annotated[int | None, WHOLE, option("With move: the new place, counted from 1.", "N")] = None
    at_once: Annotated[int | None, WHOLE, option("With set: how many runs are trained at once.", "N")] = None
    trust: Trust = False
    runs: Runs = "runs"
    json: Json = False


@dataclass(frozen=True)
class WorkArguments:
    """Train the runs of the queue, each in a process of its own, until none is left.

    With --on ray they train on the nodes of a Ray cluster, and their folders are here all the same.
    """

    at_once: Annotated[int | None, WHOLE, option("How many runs are trained at once, from now on.", "N")] = None
    wait: Annotated[bool, option("Wait for further runs when the queue is empty.")] = False
    on: Annotated[Literal["here", "ray"], option("Where they train: on this machine, or on a Ray cluster.")] = "here"
    address: Annotated[
        str | None,
        option("With --on ray: the cluster's address (default: that of this machine, or a new one).", "ADDR"),
    ] = None
    mirror: Annotated[
        bool, option("With --on ray: nodes train in folders of their own, even if they see this one.")
    ] = False
    runs: Runs = "runs"
    json: Json = False


@dataclass(frozen=True)
class SweepArguments:
    """Make a sweep of a TOML file and train it, or go on with a stored one."""

    file: Annotated[str, Positional, option("TOML file of a sweep, or the folder of a stored one.", "FILE|SWEEP")]
    dry_run: Annotated[bool, option("Only print what would run, and how long it takes.")] = False
    queue: Annotated[bool, option("Only add its runs to the queue.")] = False
    at_once: Annotated[int | None, WHOLE, option("How many runs are trained at once, from now on.", "N")] = None
    runs: Runs = "runs"
    json: Json = False


@dataclass(frozen=True)
class SteerArguments:
    """Steer a run that trains in another process. Whoever may write its folder may steer it."""

    run: Run
    set: Annotated[
        UseAppendAction[tuple[str, ...]], option("Change a live setting, for example learn.lr=1e-4.", "NAME=VALUE")
    ] = ()
    pause: Annotated[bool, option("Pause before the next step.")] = False
    resume: Annotated[bool, option("Continue after a pause.")] = False
    save: Annotated[bool, option("Save a checkpoint now.")] = False
    stop: Annotated[bool, option("Save and end the run.")] = False
    runs: Runs = "runs"


@dataclass(frozen=True)
class CompareArguments:
    """Compare stored runs: groups that differ in more than their seeds, with intervals, and which is better."""

    names: Annotated[
        tuple[str, ...],
        Positional,
        option("Runs: folders, names within --runs, or folders of runs (default: all in --runs).", "RUN"),
    ] = ()
    runs: Runs = "runs"
    x: Annotated[Literal["steps", "episodes", "time", "updates"], option("Axis of the curves (default: steps).")] = (
        "steps"
    )
    statistic: Annotated[
        Literal["mean", "iqm", "median"], option("What the curves of a group show (default: iqm).")
    ] = "iqm"
    score: Annotated[
        str,
        option(
            "best, final, area (under the curve), mmer (largest mean return of 100 training episodes), or steps-to:R, "
            "the steps to a return R (default: best).",
            "NAME",
        ),
    ] = "best"
    measure: Annotated[
        str, option("Compare this measure that the task names, such as success, instead of the return.", "NAME")
    ] = ""
    lower: Annotated[bool, option("Less of the measure is better.")] = False
    csv: Annotated[str | None, option("Write the curves to this file.", "FILE.csv")] = None
    commands: Annotated[bool, option("Print the lines that train these runs again, and nothing else.")] = False
    json: Annotated[bool, option("Write one group, pair or setting a line, as JSON, to standard output.")] = False


@dataclass(frozen=True)
class BacktestArguments:
    """Let trained agents trade through unseen prices, beside holding and other simple rules (dqngui/Trading-v0)."""

    names: Annotated[tuple[str, ...], Positional, option("Runs on the same market, as several seeds of one.", "RUN")]
    part: Annotated[Literal["selection", "test"], option("Bars that the agents did not train on (default: test).")] = (
        "test"
    )
    trust: Trust = False
    runs: Runs = "runs"
    json: Annotated[bool, option("Write one policy a line, as JSON, to standard output.")] = False


@dataclass(frozen=True)
class ExportArguments:
    """Export stored runs for other programs, or as a report that opens in a browser."""

    to: Annotated[
        str,
        option("csv, parquet, tensorboard, wandb, mlflow or html (a report; of several runs, a comparison).", "FORMAT"),
    ]
    names: Annotated[
        tuple[str, ...], Positional, option("Runs: folders, names within --runs, `last`, or folders of runs.", "RUN")
    ]
    out: Annotated[
        str | None,
        option("File, folder, or address of an MLflow server to write to (default: in the present folder).", "PATH"),
    ] = None
    follow: Annotated[bool, option("Go on while the runs are trained, until they end or Ctrl+C.")] = False
    online: Annotated[bool, option("With wandb: send the runs to its server; needs `wandb login`.")] = False
    project: Annotated[
        str, option("Project of wandb, or experiment of mlflow, that the runs belong to (default: dqngui).", "NAME")
    ] = "dqngui"
    trust: Trust = False
    runs: Runs = "runs"


@dataclass(frozen=True)
class LabelArguments:
    """Give a run a title, a star, tags and a note; they are kept in its folder. Without options they are shown."""

    run: Run
    title: Annotated[str | None, option("Show this title; an empty one shows the run's own again.", "TEXT")] = None
    star: Annotated[bool, option("Mark the run.")] = False
    unstar: Annotated[bool, option("Take the mark away.")] = False
    tag: Annotated[UseAppendAction[tuple[str, ...]], option("Add a tag (repeatable).", "TAG")] = ()
    untag: Annotated[UseAppendAction[tuple[str, ...]], option("Remove a tag (repeatable).", "TAG")] = ()
    note: Annotated[str | None, option("Note this; an empty one removes the note.", "TEXT")] = None
    runs: Runs = "runs"


@dataclass(frozen=True)
class ExportRunArguments:
    """Write a run as one zip file, to give it away; it holds no code."""

    run: Run
    archive: Annotated[str, Positional, option("The zip file to write.", "FILE.zip")]
    runs: Runs = "runs"


@dataclass(frozen=True)
class ImportRunArguments:
    """Take a run in from a zip file; it is checked as a stranger's, and never trusted by this."""

    archive: Annotated[str, Positional, option("The zip file of a run.", "FILE.zip")]
    runs: Runs = "runs"
