"""A stored run in the window: read in the background like a live one, read-only, and taken up again."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from dqngui import messages as m
from dqngui import presets, settings
from dqngui.hosts import log_reader as reader_module
from dqngui.hosts.log_reader import LogReader
from dqngui.lab.session.history import History
from dqngui.lab.session.rules import waiting_edits
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import Action, State
from dqngui.lab.session.stored_log import StoredLog
from dqngui.runs.folder import EVENTS, claim, create, new_summary, read_events, write_summary
from dqngui.runs.resume import LogMark, save_resume
from tests.doubles.scripted_host import ScriptedHost
from tests.doubles.scripted_player import Clock

EXPERIMENT = settings.with_settings(presets.read_experiment("cartpole-positions"), {"run.total_steps": 200_000})
ROWS = 3_000


def rows(count: int) -> Iterator[m.Event]:
    """A log as training writes it: mostly episodes, a tweak in the middle."""
    for index in range(count):
        step = 50 * index + 50
        if index == count // 2:
            yield m.KnobChanged(step=step, field="learn.lr", old=1e-3, new=5e-4)
        elif index % 10 == 9:
            yield m.Learned(step=step, updates=index, loss=0.5, epsilon=0.1, seconds=step / 3000)
        elif index % 100 == 50:
            yield m.Evaluated(step=step, returns=(float(index),), lengths=(1,), mean=float(index), best=True)
        else:
            yield m.EpisodeEnded(step=step, ret=float(index), length=50)


def stored(runs: Path, count: int = ROWS, *, saved: int | None = None) -> Path:
    """A run's folder as a stopped run leaves it; `saved`: the step of the state to go on from."""
    folder = create(runs, EXPERIMENT)
    (folder / EVENTS).write_bytes(b"".join(m.encode(event) + b"\n" for event in rows(count)))
    write_summary(folder, msgspec.structs.replace(new_summary(EXPERIMENT), state="stopped", step=50 * count))
    if saved is not None:
        learn = msgspec.structs.replace(EXPERIMENT.learn, lr=5e-4)
        meta = {"knobs": {"learn": msgspec.to_builtins(learn), "manual": {}}}
        save_resume(folder, {"x": np.zeros(1)}, meta, LogMark(step=saved))
    return folder


@pytest.fixture
def session(qtbot: QtBot, tmp_path: Path) -> Iterator[Session]:
    ScriptedHost.opened.clear()
    session = Session(EXPERIMENT, runs=tmp_path, open_host=ScriptedHost)
    session.on_torch_loaded()
    yield session
    session.stop()
    ScriptedHost.refuses = ""
    session.deleteLater()


class Seen:
    """What the session gave to the window."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.messages: list[str] = []
        self.cleared = 0
        session.message.connect(lambda text, details: self.messages.append(str(text)))
        session.cleared.connect(self.clear)

    @property
    def history(self) -> History:
        return self.session.history

    def clear(self) -> None:
        assert self.session.history.empty
        self.cleared += 1


def read(qtbot: QtBot, session: Session) -> None:
    qtbot.waitUntil(lambda: session.log.share == 1.0 and not session.log.reading, timeout=5000)


# -- the reader -------------------------------------------------------------------------------------


def drained(reader: LogReader) -> list[m.Event]:
    reader.start()
    events: list[m.Event] = []
    while reader.alive:
        events += reader.drain()
    assert reader.join(1.0)
    return events


class SlowlyRead:
    """A log with one portion of events, which a test takes as long as it likes to process."""

    alive, problem = True, ""

    def __init__(self) -> None:
        self.portions: list[list[m.Event]] = [[m.Warned(step=1, text="a")], []]
        self.paces: list[float] = []

    def start(self) -> None: ...

    def drain(self) -> list[m.Event]:
        return self.portions.pop(0)

    def set_pace(self, seconds: float) -> None:
        self.paces.append(seconds)


def test_the_log_is_told_how_long_its_events_took_to_process() -> None:
    clock, read = Clock(), SlowlyRead()
    log = StoredLog(clock)
    log.open(read)  # type: ignore[arg-type]
    assert len(log.drain()) == 1
    clock.now += 0.25
    assert not log.end()
    assert log.drain() == []
    clock.now += 5.0
    assert not log.end()
    assert read.paces == [0.25]


def test_the_reader_gives_what_the_log_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = stored(tmp_path)
    assert drained(LogReader(folder)) == list(read_events(folder))
    monkeypatch.setattr(reader_module, "SLICE", 100)  # less than some lines
    assert drained(LogReader(folder)) == list(read_events(folder))


def test_the_reader_stays_a_little_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    monkeypatch.setattr(reader_module, "SLICE", 1000)
    reader = LogReader(stored(tmp_path))
    reader.start()
    qtbot.waitUntil(lambda: reader.ahead == reader_module.AHEAD)
    qtbot.wait(50)
    assert reader.ahead == reader_module.AHEAD
    assert reader.share == 0.0
    reader.kill()
    assert reader.join(1.0)
    assert reader.drain() == []
    assert not reader.alive


@pytest.mark.parametrize("log", [b"", b'{"type":"Learned","st', None])
def test_a_log_without_a_whole_line_is_an_empty_one(tmp_path: Path, log: bytes | None) -> None:
    folder = stored(tmp_path)
    if log is None:
        (folder / EVENTS).unlink()
    else:
        (folder / EVENTS).write_bytes(log)
    reader = LogReader(folder)
    assert drained(reader) == []
    assert reader.share == 1.0


def test_a_torn_last_line_is_left_out_and_a_nan_is_a_gap(tmp_path: Path) -> None:
    folder = stored(tmp_path, 10)
    with open(folder / EVENTS, "ab") as log:
        log.write(b'{"type":"EpisodeEnded","step":600,"ret":null,"length":1}\n{"type":"EpisodeEnd')
    events = drained(LogReader(folder))
    assert len(events) == 11
    assert isinstance(events[-1], m.EpisodeEnded)
    assert np.isnan(events[-1].ret)


@pytest.mark.parametrize("line", [0, ROWS - 1])
def test_a_damaged_line_is_passed_over_and_named(tmp_path: Path, line: int) -> None:
    folder = stored(tmp_path)
    damage(folder, line)
    reader = LogReader(folder)
    expected = list(rows(ROWS))
    del expected[line]
    assert drained(reader) == expected
    assert f"1 damaged line, line {line + 1:,}" in str(reader.problem)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("size", [1, 300, 5000])
def test_a_block_of_zeros_costs_only_the_lines_that_it_touches(tmp_path: Path, share: float, size: int) -> None:
    folder = stored(tmp_path)
    data = bytearray((folder / EVENTS).read_bytes())
    start = round(share * (len(data) - size))
    touched = data[start : start + size].count(b"\n") + 2
    data[start : start + size] = bytes(size)
    (folder / EVENTS).write_bytes(data)
    reader = LogReader(folder)
    events = drained(reader)
    assert ROWS - touched <= len(events) < ROWS
    assert set(map(repr, events)) < set(map(repr, rows(ROWS)))
    assert share == 1.0 or "damaged line" in str(reader.problem)  # at the end it is a torn line


@pytest.mark.parametrize(
    "line",
    [
        b'{"type":"Opened","step":0,"folder":"/tmp","experiment":{},"device":"cpu","parameters":1}',
        b'{"type":"Finished","step":5,"seconds":1.0,"steps_per_second":1.0,"reason":"completed"}',
        b'{"type":"Weights","step":1,"tensors":{}}',
        b'{"type":"KnobChanged","step":1,"field":"__class__.__init__","old":1,"new":2}',
        b'{"type":"KnobChanged","step":1,"field":"learn.lr","old":1e-3,"new":[1]}',
        b'{"type":"KnobChanged","step":1,"field":"learn.replay_capacity","old":10,"new":[20]}',
        b'{"type":"Forked","step":1,"parent":"x","manual":{"learn.nothing":1.0}}',
        b'{"type":"EpisodeEnded","step":-1,"ret":1.0,"length":1}',
        b'{"type":"EpisodeEnded","st\\u0065p":-1,"ret":1.0,"length":1}',
        b'{"type":"EpisodeEnded","step":1,"ret":1e308,"length":1}',
        b'{"type":"EpisodeEnded","step":1,"ret":1e400,"length":1}',
        b'{"type":"EpisodeEnded","step":' + b"9" * 30 + b',"ret":1.0,"length":1}',
        b'{"type":"EpisodeEnded","step":1,"ret":' + b"9" * 6000 + b',"length":1}',
        b'{"type":"EpisodeEnded","step":1,"ret":1.0,"length":-1}',
        b'{"type":"Warned","step":1,"text":"\xff"}',
        b'{"type":"Warned","step":1,"text":' + b"[" * 200_000 + b"}",
        b'{"type":"Warned","step":1,"text":"' + b"x" * 5_000_000 + b'"}',
        b"\0" * 5_000_000,
        b"",
    ],
    ids=lambda line: line[:60].decode("ascii", "replace"),
)
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_what_no_log_holds_is_passed_over(tmp_path: Path, line: bytes, place: str) -> None:
    folder = stored(tmp_path, 40)
    lines = (folder / EVENTS).read_bytes().splitlines()
    lines.insert({"first": 0, "middle": 20, "last": 40}[place], line)
    (folder / EVENTS).write_bytes(b"\n".join(lines) + b"\n")
    reader = LogReader(folder)
    assert drained(reader) == list(rows(40))
    assert "damaged line" in str(reader.problem)
    assert list(read_events(folder, lambda text: None)) == list(rows(40))


def damage(folder: Path, line: int) -> None:
    lines = (folder / EVENTS).read_bytes().splitlines()
    lines[line] = b'{"type":"EpisodeEnded","step":"many"}'
    (folder / EVENTS).write_bytes(b"\n".join(lines) + b"\n")


# -- opening ----------------------------------------------------------------------------------------


def test_a_stored_run_is_read_like_a_live_one(qtbot: QtBot, session: Session, tmp_path: Path) -> None:
    folder, seen = stored(tmp_path, saved=100_000), Seen(session)
    assert session.open_stored(folder)
    assert session.state is State.STORED
    assert session.run.folder == folder
    assert not session.job.active
    assert session.run.step == 150_000  # from the summary, before the log is read
    assert not {Action.RESUME_RUN, Action.FORK} & session.allowed  # a log in part is none to go on from
    read(qtbot, session)
    expected = History.of(read_events(folder))
    assert np.array_equal(seen.history.returns.y.values, expected.returns.y.values)
    assert seen.history.knobs == expected.knobs
    assert seen.cleared == 1
    assert (session.run.best, session.run.checkpoint) == (2950.0, 100_000)
    assert session.run.learned is not None
    assert session.value("learn.lr") == 5e-4
    assert not session.run.knobs.can_undo
    assert {Action.RESUME_RUN, Action.FORK, Action.NEW_RUN, Action.EDIT} <= session.allowed
    assert "read-only" in str(session.run.notice)
    assert not session.ticker.active


def test_another_stored_run_cancels_the_former_reading(
    qtbot: QtBot, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "SLICE", 1000)
    monkeypatch.setattr(reader_module, "MOST", 10)
    threads = set(threading.enumerate())
    long, short, seen = stored(tmp_path, 20_000), stored(tmp_path, 500), Seen(session)
    session.open_stored(long)
    qtbot.waitUntil(lambda: 0 < session.log.share < 1)
    session.open_stored(short)
    assert len(set(threading.enumerate()) - threads) <= 1  # the short one may have been read
    read(qtbot, session)
    assert seen.history.last_step == 50 * 500
    assert session.run.step == 50 * 500
    assert seen.cleared == 2


def test_stop_ends_the_reading(qtbot: QtBot, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "SLICE", 1000)
    threads = set(threading.enumerate())
    session.open_stored(stored(tmp_path, 20_000))
    session.stop()
    assert set(threading.enumerate()) == threads
    assert session.state is State.STORED
    assert not session.ticker.active


@pytest.mark.parametrize(
    "wrong", ["nothing", "no run", "log is a link", "log is a folder", "damaged experiment", "empty experiment"]
)
def test_what_is_no_whole_run_is_refused_and_changes_nothing(
    qtbot: QtBot, session: Session, tmp_path: Path, wrong: str
) -> None:
    former, seen = stored(tmp_path), Seen(session)
    session.open_stored(former)
    read(qtbot, session)
    folder = tmp_path / "nothing"
    if wrong == "no run":
        folder.mkdir()
    elif wrong != "nothing":
        folder = stored(tmp_path)
        if wrong.startswith("log"):
            (folder / EVENTS).unlink()
            if wrong.endswith("folder"):
                (folder / EVENTS).mkdir()
            else:
                (folder / EVENTS).symlink_to(former / EVENTS)
        elif wrong == "empty experiment":
            (folder / "experiment.toml").write_text("")
        else:
            (folder / "experiment.toml").write_text("[net]\nwidth = 'wide'\n")
    before = (session.state, session.run.folder, session.run.experiment, session.run.step, seen.cleared)
    assert not session.open_stored(folder)
    assert (session.state, session.run.folder, session.run.experiment, session.run.step, seen.cleared) == before
    (sentence,) = seen.messages
    assert str(folder) in sentence
    assert "\n" not in sentence


def test_damage_in_the_middle_is_said_and_all_the_rest_is_shown(
    qtbot: QtBot, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "SLICE", 2000)
    folder, seen = stored(tmp_path), Seen(session)
    damage(folder, 2000)
    assert session.open_stored(folder)
    qtbot.waitUntil(lambda: bool(seen.messages))
    assert "line 2,001" in seen.messages[0]
    assert seen.history.last_step == ROWS * 50
    assert session.state is State.STORED


def test_none_is_opened_while_a_run_trains(qtbot: QtBot, session: Session, tmp_path: Path) -> None:
    folder, seen = stored(tmp_path), Seen(session)
    session.do(Action.START)
    qtbot.waitUntil(lambda: session.state is State.RUNNING)
    own = session.run.folder
    assert not session.open_stored(folder)
    assert "Stop it" in seen.messages[0]
    assert (session.state, session.run.folder) == (State.RUNNING, own)
    ScriptedHost.opened[-1].end()
    qtbot.waitUntil(lambda: session.state is State.FINISHED)
    assert session.open_stored(folder)
    assert ScriptedHost.opened[-1].joined


def test_a_run_that_another_process_trains_is_only_looked_at(qtbot: QtBot, session: Session, tmp_path: Path) -> None:
    folder = stored(tmp_path, saved=100_000)
    summary = msgspec.structs.replace(new_summary(EXPERIMENT), state="running", pid=os.getpid())
    write_summary(folder, summary)
    with claim(folder):
        session.open_stored(folder)
    read(qtbot, session)
    assert str(os.getpid()) in str(session.run.notice)
    assert Action.RESUME_RUN not in session.allowed
    assert Action.FORK in session.allowed


# -- going on ---------------------------------------------------------------------------------------


def test_a_stored_run_goes_on_in_the_window(qtbot: QtBot, session: Session, tmp_path: Path) -> None:
    folder, seen = stored(tmp_path, saved=150_000), Seen(session)
    session.open_stored(folder)
    read(qtbot, session)
    points = len(seen.history.returns)
    session.do(Action.RESUME_RUN)
    qtbot.waitUntil(lambda: session.state is State.RUNNING)
    host = ScriptedHost.opened[-1]
    assert host.request == m.Request(job="train", folder=str(folder), resume=True)
    host.emit(m.EpisodeEnded(step=150_100, ret=1.0, length=1))
    qtbot.waitUntil(lambda: session.run.step == 150_100)
    assert len(seen.history.returns) == points + 1
    assert seen.cleared == 1
    assert session.run.notice == ""
    host.end()


def test_a_stored_run_that_cannot_go_on_stays_open(qtbot: QtBot, session: Session, tmp_path: Path) -> None:
    folder, seen = stored(tmp_path, saved=150_000), Seen(session)
    session.open_stored(folder)
    read(qtbot, session)
    ScriptedHost.refuses = "The state is damaged."
    session.do(Action.RESUME_RUN)
    qtbot.waitUntil(lambda: session.state is State.STORED)
    assert "The state is damaged." in seen.messages[0]
    assert session.run.failure is None
    assert "read-only" in str(session.run.notice)


def test_a_stored_run_is_forked_where_it_was_saved(qtbot: QtBot, session: Session, tmp_path: Path) -> None:
    folder = stored(tmp_path, saved=60_000)
    session.open_stored(folder)
    read(qtbot, session)
    assert session.fork_plan.step == 60_000
    session.edit({"net.width": 128})
    assert waiting_edits(session.state, session.draft) == {"net.width": (64, 128)}
    session.do(Action.FORK)
    qtbot.waitUntil(lambda: session.state is State.RUNNING)
    request = ScriptedHost.opened[-1].request
    assert request.fork == str(folder)
    # with the knobs as they stood in the state, not as the log ends
    expected = settings.with_settings(EXPERIMENT, {"net.width": 128, "learn.lr": 5e-4})
    assert request.experiment == expected
    ScriptedHost.opened[-1].end()


def test_a_stored_run_with_no_step_left_offers_no_resume(qtbot: QtBot, session: Session, tmp_path: Path) -> None:
    session.open_stored(stored(tmp_path, saved=200_000))
    read(qtbot, session)
    assert not {Action.RESUME_RUN, Action.FORK} & session.allowed
    assert "All of its steps are trained" in str(session.run.notice)
    session.edit({"run.total_steps": 300_000})
    assert Action.FORK in session.allowed


def test_resuming_before_torch_is_loaded_is_remembered(qtbot: QtBot, session: Session, tmp_path: Path) -> None:
    session.torch_loaded = False
    session.open_stored(stored(tmp_path, saved=150_000))
    read(qtbot, session)
    session.do(Action.RESUME_RUN)
    assert session.loading
    assert ScriptedHost.opened == []
    session.on_torch_loaded()
    qtbot.waitUntil(lambda: session.state is State.RUNNING)
    ScriptedHost.opened[-1].end()


def test_a_stored_fork_names_its_parent(qtbot: QtBot, session: Session, tmp_path: Path) -> None:
    folder = stored(tmp_path, 100)
    log = (folder / EVENTS).read_bytes()
    (folder / EVENTS).write_bytes(m.encode(m.Forked(step=20, parent="the-parent")) + b"\n" + log)
    seen = Seen(session)
    session.open_stored(folder)
    read(qtbot, session)
    assert session.run.forked_from == "the-parent"
    assert [fork.step for fork in seen.history.forks] == [20]


def test_new_run_leaves_the_stored_one(qtbot: QtBot, session: Session, tmp_path: Path) -> None:
    session.open_stored(stored(tmp_path))
    session.do(Action.NEW_RUN)
    assert session.state is State.READY
    assert (session.run.folder, session.run.step, session.log.share) == (None, 0, 1.0)
    assert not session.ticker.active
