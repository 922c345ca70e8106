"""What is done with a hostile run: reading all of it, and the commands of the command line."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from dqngui.config import ConfigError, Experiment
from dqngui.hosts.log_reader import LogReader
from dqngui.jobs.branching import branch_point
from dqngui.lab.session.event_words import log_text, mark_label, mark_text
from dqngui.lab.session.history import History
from dqngui.lab.session.run import RunState
from dqngui.listing.return_log import ReturnLog, same_experiment
from dqngui.listing.run_index import RunIndex
from dqngui.listing.run_names import names
from dqngui.messages import BreakpointsSet
from dqngui.runs.archive import import_run
from dqngui.runs.checkpoints import checkpoints, load_weights
from dqngui.runs.episodes import read_episode, read_index
from dqngui.runs.folder import list_runs, read_events, summary_of
from dqngui.runs.folder import read_experiment as stored_experiment
from dqngui.runs.labels import read_labels
from dqngui.runs.resume import load_resume
from dqngui.texts import Text, words
from tests.fuzz.hostile import ARCHIVE


def read_all(run: Path) -> tuple[int, str]:
    """Read a run as the window and the command line do; what is wrong is said, and no other error comes."""
    said: list[str] = []
    for reading in (_list, _log, _experiment, _resume, _weights, _episodes, _returns, _archive):
        try:
            reading(run, said)
        except ConfigError as error:
            said.append(words(error.text))
    return 0, "\n".join(said)


def _list(run: Path, said: list[str]) -> None:
    found = list_runs(run.parent)
    assert summary_of(run) in found or summary_of(run) is None
    listed = RunIndex(run.parent).read()
    assert listed == found if not read_labels(run)[0] else [a.folder for a in listed] == [b.folder for b in found]
    said += map(str, names(found).values())
    said += [words(each.problem) for each in found]


def _log(run: Path, said: list[str]) -> None:
    reader, history, state = LogReader(run), History(), RunState(Experiment())
    reader.start()
    while reader.alive:
        events = reader.drain()
        for event in state.advance(events):
            state.note(event)
            if not isinstance(event, BreakpointsSet):
                said.append(words(log_text(event)))
        history.take(events)
    assert state.folder is None
    state.present()
    said.append(words(reader.problem))
    damaged: list[Text] = []
    list(read_events(run, damaged.append))
    said += [words(mark_text(mark)) + words(mark_label(mark)) for mark in history.marks]


def _experiment(run: Path, said: list[str]) -> None:
    same_experiment(run)
    experiment = stored_experiment(run)
    opened = RunState(experiment)
    opened.open_folder(run, experiment)
    said.append(words(opened.notice))


def _resume(run: Path, said: list[str]) -> None:
    branch_point(run)
    load_resume(run, best=True)


def _weights(run: Path, said: list[str]) -> None:
    for which in ("best", "last", *checkpoints(run)[:3]):
        load_weights(run, which)  # type: ignore[arg-type]


def _episodes(run: Path, said: list[str]) -> None:
    index = read_index(run)
    for record in index[:: max(1, len(index) // 5)]:
        assert np.all(read_episode(run, record).actions >= 0)


def _returns(run: Path, said: list[str]) -> None:
    history = History()
    try:
        for _, events in ReturnLog(run).read():
            history.take(events)
    except OSError:
        pass


def _archive(run: Path, said: list[str]) -> None:
    file, place = run.parent / ARCHIVE, run.parent / "taken in"
    if not file.exists():
        return
    try:
        summary_of(import_run(file, place))
    finally:
        kept = {path.name for path in place.iterdir()}
        assert not any(name.startswith(".") for name in kept), "something is left of a zip that was refused"
        shutil.rmtree(place)


NASTY = (
    "", " ", "\0", "\x1b[2J", "last", "..", "/dev/zero", "/dev/null", "-1", "0", "1e308", "nan", "9" * 6000, "x" * 5000,
    "[" * 100_000, "{", "a.b.c", "learn.lr=-1", "learn.lr=nan", "learn.lr=" + "9" * 6000, "learn.lr=" + "[" * 100_000,
    "=", "net.memory=nothing", "run.total_steps=1e308", "env.kwargs={a=1}", "env.wrappers=[1]", "loss > x", "\u202e",
    "net.memory_options.x.y.z=1", "env=1", "title=3", "learn.epsilon={start=2}", "__class__=1", ".=1", "é=é",
    "learn.lr=0001-01-01T00:00:00", ".".join(["a"] * 5000) + "=1", "canary:X-v0", "--help", "%s", "\n",
)  # fmt: skip


def command(run: Path, rng: random.Random) -> list[str]:
    """Arguments of one call of the command line that uses this run, or that nobody should type."""
    runs, small = str(run.parent), ["--runs", str(run.parent)]
    choices: list[Callable[[], list[str]]] = [
        lambda: ["runs", runs],
        lambda: ["runs", runs, "--json"],
        lambda: ["runs", "import", str(run.parent / ARCHIVE), *small],
        lambda: ["play", str(run), "--episodes", "1", *small],
        lambda: [
            "export",
            str(run),
            "--to",
            rng.choice(("csv", "tensorboard")),
            "--out",
            str(run.parent / "out"),
            *small,
        ],
        lambda: ["export", str(run), "--to", "html", "--out", str(run.parent / "out.html"), *small],
        lambda: ["train", "--resume", str(run), "--steps", "544", *small],
        lambda: ["train", "--resume", str(run), "--steps", "544", *small, "--json"],
        lambda: ["train", "--fork", str(run), "--steps", "544", *small],
        lambda: ["train", "--fork", str(run), "--steps", "544", *small, "--set", "net.width=32"],
        lambda: ["train", str(run / "experiment.toml"), "--steps", "32", *small],
        lambda: ["train", "--replay-knobs", str(run), "--steps", "32", *small],
        lambda: [rng.choice(("train", "play", "runs", "x")), rng.choice(NASTY)],
        lambda: ["train", "cartpole", "--steps", "1", *small, rng.choice(_OPTIONS), rng.choice(NASTY)],
        lambda: [
            "play",
            str(run),
            *small,
            "--episodes",
            "1",
            rng.choice(("--checkpoint", "--seed")),
            rng.choice(NASTY),
        ],
    ]
    return rng.choice(choices)()


_OPTIONS = (
    "--set",
    "--set",
    "--set",
    "--env",
    "--agent",
    "--seed",
    "--break",
    "--stop-at",
    "--fork",
    "--seeds",
    "--resume",
)


def as_text(arguments: list[Any]) -> str:
    """The arguments, short enough to be printed."""
    return " ".join(repr(str(each)[:60]) for each in arguments)
