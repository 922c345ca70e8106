"""The library reads in the background what changed, compares, deletes and brings back."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pytestqt.qtbot import QtBot

from dqngui import config, settings
from dqngui import messages as m
from dqngui.lab.background.timing import Timing
from dqngui.lab.background.worker import Worker
from dqngui.lab.library.deleted_runs import OLD_TRASH_S
from dqngui.lab.library.library import Library
from dqngui.lab.session.session import Session
from dqngui.listing import return_log
from dqngui.listing import run_index as stored
from dqngui.listing.return_log import ReturnLog
from dqngui.listing.run_index import RunIndex
from dqngui.listing.run_names import names
from dqngui.messages import EpisodeEnded, Evaluated, Event, Learned, encode
from dqngui.runs import folder as run_folder
from dqngui.runs.trash import TRASH
from dqngui.texts import sentence
from tests.doubles.scripted_host import ScriptedHost


def make_run(runs: Path, events: Sequence[Event] = (), changes: dict[str, Any] | None = None, **summary: Any) -> Path:
    experiment = settings.with_settings(config.Experiment(), changes or {})
    folder = run_folder.create(runs, experiment)
    write_events(folder, events)
    found = msgspec.structs.replace(run_folder.new_summary(experiment), **{"state": "finished", **summary})
    run_folder.write_summary(folder, found)
    return folder


def write_events(folder: Path, events: Sequence[Event]) -> None:
    with open(folder / run_folder.EVENTS, "ab") as log:
        log.writelines(encode(event) + b"\n" for event in events)


def episodes(count: int, ret: float = 1.0, first: int = 1) -> list[Event]:
    return [EpisodeEnded(step=10 * i, ret=ret * i, length=10) for i in range(first, first + count)]


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(config.Experiment(), runs=tmp_path / "runs", open_host=ScriptedHost)


@pytest.fixture
def library(qtbot: QtBot, session: Session) -> Iterator[Library]:
    library = Library(session)
    yield library
    library.stop()
    library.join()


def read(qtbot: QtBot, library: Library) -> None:
    with qtbot.waitSignal(library.changed):
        library.refresh()


def wait(qtbot: QtBot, condition: Callable[[], bool]) -> None:
    qtbot.waitUntil(condition, timeout=5000)


# -- reading ----------------------------------------------------------------------------------------


def test_only_changed_summaries_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [make_run(tmp_path) for _ in range(5)]
    (tmp_path / "notes").mkdir()
    (tmp_path / TRASH).mkdir()
    make_run(tmp_path / TRASH)
    opened: list[Path] = []
    summary_of = stored.summary_of
    monkeypatch.setattr(stored, "summary_of", lambda path: opened.append(path) or summary_of(path))
    runs = RunIndex(tmp_path)
    assert [each.folder for each in runs.read()] == [str(each) for each in sorted(folders, reverse=True)]
    opened.clear()
    assert len(runs.read()) == 5
    assert opened == []
    found = run_folder.summary_of(folders[2])
    assert found is not None
    run_folder.write_summary(folders[2], msgspec.structs.replace(found, best=7.0))
    assert [each.best for each in runs.read()].count(7.0) == 1
    assert opened == [folders[2]]


def test_a_killed_run_is_found_out_though_its_files_did_not_change(tmp_path: Path) -> None:
    folder = make_run(tmp_path, state="running")
    runs = RunIndex(tmp_path)
    with run_folder.claim(folder):
        assert runs.read()[0].state == "running"
    assert runs.read()[0].state == "interrupted"


def test_the_folder_is_read_in_another_thread(
    qtbot: QtBot, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(tmp_path / "runs")
    threads: set[str] = set()
    summary_of = stored.summary_of
    monkeypatch.setattr(
        stored, "summary_of", lambda path: threads.add(threading.current_thread().name) or summary_of(path)
    )
    read(qtbot, library)
    assert len(library.summaries) == 1
    assert threads == {"library"}
    library.refresh()
    with qtbot.assertNotEmitted(library.changed, wait=200):
        pass  # nothing changed


def test_no_folder_is_no_problem_and_an_unreadable_one_is_said(qtbot: QtBot, library: Library, tmp_path: Path) -> None:
    read(qtbot, library)
    assert library.loaded
    assert not library.listing.problem
    (tmp_path / "runs").write_text("not a folder")
    read(qtbot, library)
    assert sentence(library.listing.problem).startswith("Cannot list the runs in")
    assert sentence(library.listing.problem).endswith(".")


def test_a_link_that_leads_to_itself_hides_no_run(tmp_path: Path) -> None:
    make_run(tmp_path)
    try:
        (tmp_path / "loop").symlink_to(tmp_path / "loop")
    except OSError:
        pytest.skip("links need a privilege here")
    assert len(RunIndex(tmp_path).read()) == 1


def test_the_folder_is_read_again_when_the_session_changes_state(
    qtbot: QtBot, library: Library, session: Session
) -> None:
    session.torch_loaded = True
    with qtbot.waitSignal(library.changed):
        session.start()
    assert [Path(each.folder) for each in library.summaries] == [session.run.folder]
    assert library.is_open(library.summaries[0].folder)
    session.kill()


def test_names_are_titles_or_folders_with_the_seed_where_they_are_shared(
    qtbot: QtBot, library: Library, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    a, b = (make_run(runs, changes={"run.seed": seed}, title="Twins") for seed in (3, 4))
    c = make_run(runs, changes={"env.id": "Acrobot-v1", "net.memory": "lstm"})
    d = make_run(runs, title="Single")
    read(qtbot, library)
    assert [library.name_of(each) for each in (a, b, c, d)] == [
        "Twins · seed 3", "Twins · seed 4", "acrobot-lstm", "Single",
    ]  # fmt: skip


def at(local: str) -> str:
    """A local time as a run's start."""
    return datetime.fromisoformat(local).astimezone(UTC).isoformat()


def told(runs: Sequence[run_folder.RunSummary]) -> list[str]:
    return [str(name) for name in names(runs).values()]


def test_a_fork_and_a_second_try_with_the_same_seed_are_told_apart() -> None:
    plain = run_folder.new_summary(settings.with_settings(config.Experiment(), {"title": "A"}))
    runs = [
        msgspec.structs.replace(plain, folder=f"/r/{number}", started=at(f"2026-05-20T{time}"), parent=parent)
        for number, (time, parent) in enumerate((("12:30", ""), ("12:45", ""), ("13:10", "2026-05-20_12-30-00_a")))
    ]
    assert told(runs) == ["A · 12:30", "A · 12:45", "A · fork"]
    assert told(runs[1:]) == ["A", "A · fork"]
    assert told(runs[2:]) == ["A"]


def test_names_say_what_tells_runs_of_one_title_apart_and_nothing_else() -> None:
    plain = run_folder.new_summary(settings.with_settings(config.Experiment(), {"title": "A"}))
    runs = [
        msgspec.structs.replace(plain, folder=f"/r/{number}", memory=memory, seed=seed, parent=parent)
        for number, (memory, seed, parent) in enumerate(
            [("gru", 0, ""), ("lstm", 0, "2026-05-20_12-30-00_a"), ("none", 0, ""), ("none", 1, "")]
        )
    ]
    assert told(runs) == ["A · GRU", "A · LSTM", "A · no memory · seed 0", "A · no memory · seed 1"]


# -- curves -----------------------------------------------------------------------------------------


def test_a_log_is_read_on_from_where_it_ended(tmp_path: Path) -> None:
    other: list[Event] = [Learned(step=5, updates=1), Evaluated(step=30, returns=(1.0,), lengths=(1,), mean=1.0)]
    folder = make_run(tmp_path, [*episodes(3), *other])
    log = ReturnLog(folder)
    assert list(log.read()) == [(True, [*episodes(3), other[1]])]
    assert list(log.read()) == []
    with open(folder / run_folder.EVENTS, "ab") as file:
        file.write(encode(episodes(1, first=4)[0])[:20])
    assert list(log.read()) == []  # a torn line waits for its end
    with open(folder / run_folder.EVENTS, "ab") as file:
        file.write(encode(episodes(1, first=4)[0])[20:] + b"\n")
    assert list(log.read()) == [(False, episodes(1, first=4))]


def test_a_log_that_was_cut_back_and_grew_is_read_anew(tmp_path: Path) -> None:
    folder = make_run(tmp_path, episodes(50))
    log = ReturnLog(folder)
    list(log.read())
    os.truncate(folder / run_folder.EVENTS, sum(len(encode(each)) + 1 for each in episodes(20)))
    write_events(folder, episodes(60, ret=2.0, first=21))
    assert list(log.read()) == [(True, episodes(20) + episodes(60, ret=2.0, first=21))]


def test_a_log_longer_than_a_block_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(return_log, "BLOCK", 333)
    log = ReturnLog(make_run(tmp_path, episodes(100)))
    pieces = list(log.read())
    assert len(pieces) > 3
    assert [anew for anew, _ in pieces] == [True] + [False] * (len(pieces) - 1)
    assert [event for _, events in pieces for event in events] == episodes(100)


def test_a_damaged_line_and_a_return_that_is_no_number(tmp_path: Path) -> None:
    folder = make_run(tmp_path, [EpisodeEnded(step=1, ret=float("nan"), length=1)])
    with open(folder / run_folder.EVENTS, "ab") as file:
        file.write(b'{"type":"EpisodeEnded","ret":tru\n')
    write_events(folder, episodes(1))
    [(_, events)] = list(ReturnLog(folder).read())
    assert len(events) == 2
    assert events[1] == episodes(1)[0]


def test_an_overlay_is_read_kept_and_followed(qtbot: QtBot, library: Library, tmp_path: Path) -> None:
    folder = make_run(tmp_path / "runs", episodes(10))
    read(qtbot, library)
    library.overlay(folder)
    assert library.curve(folder) is None
    wait(qtbot, lambda: library.curve(folder) is not None)
    history = library.curve(folder)
    assert history is not None
    assert len(history.returns) == 10
    write_events(folder, episodes(5, first=11))
    with qtbot.waitSignal(library.overlays_changed):
        library.tick()
    assert len(history.returns) == 15
    library.overlay(folder)
    assert library.overlays == []


def test_a_run_without_a_log_has_an_empty_curve(qtbot: QtBot, library: Library, tmp_path: Path) -> None:
    assert library.curve(tmp_path / "gone") is None
    wait(qtbot, lambda: library.curve(tmp_path / "gone") is not None)
    assert library.curve(tmp_path / "gone").empty  # type: ignore[union-attr]


def test_seeds_are_the_runs_that_differ_in_nothing_else(qtbot: QtBot, library: Library, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    seeds = [
        make_run(runs, changes={"run.seed": seed, "run.host": host}) for seed, host in ((0, "thread"), (1, "process"))
    ]
    other = make_run(runs, changes={"learn.gamma": 0.5})
    read(qtbot, library)
    library.overlay_seeds(seeds[0])
    wait(qtbot, lambda: bool(library.overlays))
    assert library.overlays[0].folders == tuple(seeds)
    assert library.overlays[0].seeds
    with qtbot.waitSignal(library.message) as said:
        library.overlay_seeds(other)
    assert "no other run" in str(said.args[0])


def test_every_overlay_has_its_own_slot_and_leaves_it_free(qtbot: QtBot, library: Library, tmp_path: Path) -> None:
    folders = [make_run(tmp_path / "runs") for _ in range(3)]
    for folder in folders:
        library.overlay(folder)
    assert [each.slot for each in library.overlays] == [0, 1, 2]
    library.overlay(folders[1])
    library.overlay(folders[1])
    assert [each.slot for each in library.overlays] == [0, 2, 1]


# -- deleting ---------------------------------------------------------------------------------------


def test_what_was_deleted_comes_back(qtbot: QtBot, library: Library, tmp_path: Path) -> None:
    folders = [make_run(tmp_path / "runs") for _ in range(3)]
    read(qtbot, library)
    library.overlay(folders[0])
    with qtbot.waitSignal(library.changed):
        assert library.discard(folders[:2]) == 2
    assert [each.folder for each in library.summaries] == [str(folders[2])]
    assert not library.overlays
    assert library.can_undo
    with qtbot.waitSignal(library.changed):
        library.undo()
    assert len(library.summaries) == 3
    assert not library.can_undo


def test_an_open_run_and_one_in_training_are_not_deleted(
    qtbot: QtBot, library: Library, session: Session, tmp_path: Path
) -> None:
    opened, training = make_run(tmp_path / "runs"), make_run(tmp_path / "runs")
    session.run.folder = opened
    lock = run_folder.claim(training)
    said: list[str] = []
    library.message.connect(lambda text: said.append(str(text)))
    try:
        assert library.discard([opened, training]) == 0
    finally:
        lock.release()
    assert opened.exists()
    assert training.exists()
    assert "is open here" in said[0]
    assert "being trained" in said[1]
    assert not library.can_undo


def test_an_old_trash_is_emptied_at_the_start_and_ones_own_at_the_end(
    qtbot: QtBot, session: Session, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    make_run(runs)
    make_run(runs / TRASH)
    beside = Library(session)
    with qtbot.waitSignal(beside.changed):
        beside.start()
    assert (runs / TRASH).exists()  # another window may still bring it back
    beside.stop()
    beside.join()
    days_later = (runs / TRASH).stat().st_mtime + 2 * OLD_TRASH_S
    library = Library(session, Timing(wall_clock=lambda: days_later))
    with qtbot.waitSignal(library.changed):
        library.start()
    assert not (runs / TRASH).exists()
    make_run(runs / TRASH)  # of another window
    others = list((runs / TRASH).iterdir())
    library.discard([library.summaries[0].folder])
    assert len(list((runs / TRASH).iterdir())) == 2
    library.stop()
    library.join()
    assert list((runs / TRASH).iterdir()) == others
    assert not library.alive
    assert "library" not in {thread.name for thread in threading.enumerate()}


def test_stopping_does_not_wait_for_what_was_only_asked(qtbot: QtBot) -> None:
    worker, read_late = Worker("reader"), []
    begun, may_end = threading.Event(), threading.Event()
    worker.submit(lambda: (begun.set(), may_end.wait(5)), lambda _: read_late.append(1))
    worker.submit(lambda: read_late.append(2), lambda _: None)
    assert begun.wait(5)
    worker.stop()
    assert worker.alive
    may_end.set()
    worker.join()
    qtbot.wait(100)
    assert read_late == []


def test_an_error_while_reading_is_said_and_the_thread_lives_on(qtbot: QtBot) -> None:
    worker, done = Worker("reader"), []
    with qtbot.captureExceptions() as errors:
        worker.submit(lambda: 1 // 0, done.append)
        worker.submit(lambda: 5, done.append)
        wait(qtbot, lambda: done == [5])
    worker.stop()
    worker.join()
    assert errors[0][0] is ZeroDivisionError


def test_events_of_other_kinds_are_not_read(tmp_path: Path) -> None:
    kinds = {m.EpisodeEnded, m.Evaluated, m.Forked}
    lines = [encode(m.Forked(step=3, parent="x")), encode(episodes(1)[0]), encode(Learned(step=1, updates=1))]
    (tmp_path / run_folder.EVENTS).write_bytes(b"".join(line + b"\n" for line in lines))
    read = [event for _, events in ReturnLog(tmp_path).read(lambda: True) for event in events]
    assert {type(each) for each in read} == kinds - {m.Evaluated}
