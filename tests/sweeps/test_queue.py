"""The queue: its order, its states, several users at once, and what its file may be."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from dqngui.config import ConfigError, Experiment
from dqngui.runs.folder import EVENTS, create
from dqngui.sweeps.entry import Entry
from dqngui.sweeps.queue import Queue


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return Queue(tmp_path / "runs")


def added(queue: Queue, count: int = 1, **given: Any) -> list[Entry]:
    return queue.add([{"folder": str(create(queue.runs, Experiment())), **given} for _ in range(count)])


def numbers(queue: Queue) -> list[int]:
    return [entry.id for entry in queue.entries()]


def worker(queue: Queue, name: str = "one") -> str:
    """A worker that lives for as long as this process."""
    from dqngui.runs.lock import take_lock

    folder = queue.folder / "workers" / name
    folder.mkdir(parents=True)
    take_lock(folder)
    return name


def test_entries_are_taken_in_their_order_and_no_more_than_are_wanted_at_once(queue: Queue) -> None:
    one, two, three = added(queue, 3)
    queue.set(at_once=2)
    me = worker(queue)
    queue.move(three.id, 0)
    assert numbers(queue) == [three.id, one.id, two.id]
    first, second = queue.take(me), queue.take(me)
    assert first is not None and second is not None
    assert (first.id, second.id, queue.take(me)) == (three.id, one.id, None)
    queue.release(first.id, me, "finished")
    third = queue.take(me)
    assert third is not None and third.id == two.id


def test_a_paused_queue_gives_nothing(queue: Queue) -> None:
    added(queue)
    me = worker(queue)
    queue.set(paused=True)
    assert queue.take(me) is None
    queue.set(paused=False)
    assert queue.take(me) is not None


def test_pause_cancel_and_resume_of_entries_that_wait(queue: Queue) -> None:
    one, two = added(queue, 2)
    queue.pause(one.id)
    queue.cancel(two.id)
    assert queue.take(worker(queue)) is None
    queue.resume(one.id)
    queue.resume(two.id)
    assert [entry.state for entry in queue.entries()] == ["waiting", "waiting"]


def test_an_entry_in_training_is_only_wished_to_end(queue: Queue) -> None:
    (one,) = added(queue)
    queue.take(worker(queue))
    queue.pause(one.id)
    assert (queue.entry(one.id).state, queue.entry(one.id).wish) == ("running", "pause")
    queue.resume(one.id)
    assert queue.entry(one.id).wish == ""
    with pytest.raises(ConfigError, match="being trained"):
        queue.remove(one.id)


def test_what_a_lost_worker_trained_waits_again_and_wishes_hold(queue: Queue) -> None:
    one, two = added(queue, 2)
    queue.set(at_once=2)
    for entry in (one, two):
        queue.change(entry.id, state="running", worker="gone")
    queue.cancel(two.id)
    assert queue.take(worker(queue)) is not None
    assert [entry.state for entry in queue.entries()] == ["running", "cancelled"]


def test_only_who_trains_an_entry_may_say_how_it_ended(queue: Queue) -> None:
    (one,) = added(queue)
    me = worker(queue)
    queue.take(me)
    queue.release(one.id, "another", "finished")
    assert queue.entry(one.id).state == "running"
    queue.release(one.id, me, "failed", "no reason")
    assert (queue.entry(one.id).state, queue.entry(one.id).reason) == ("failed", "no reason")


def test_a_run_has_one_entry(queue: Queue) -> None:
    (one,) = added(queue)
    folder = str(queue.path_of(one))
    assert queue.add([{"folder": folder}]) == [one]
    queue.cancel(one.id)
    (again,) = queue.add([{"folder": folder, "kind": "resume", "total_steps": 9}])
    assert (again.id, again.state, again.kind, again.total_steps) == (one.id, "waiting", "resume", 9)


def test_removing_an_entry_removes_the_folder_of_a_run_that_never_began_alone(queue: Queue) -> None:
    fresh, begun, resumed = added(queue, 3)
    (queue.path_of(begun) / EVENTS).touch()
    queue.change(resumed.id, kind="resume")
    for entry in (fresh, begun, resumed):
        queue.remove(entry.id)
    assert [queue.path_of(entry).exists() for entry in (fresh, begun, resumed)] == [False, True, True]
    assert queue.entries() == []


@pytest.mark.parametrize("name", ["../elsewhere", "/etc", "a/../../b", ""])
def test_a_name_that_leads_out_of_the_folder_of_runs_is_refused(queue: Queue, name: str) -> None:
    (one,) = added(queue)
    queue.change(one.id, folder=name)
    with pytest.raises(ConfigError, match="not inside"):
        queue.path_of(queue.entry(one.id))


def test_many_users_at_once_lose_nothing(queue: Queue) -> None:
    entries = added(queue, 20)
    queue.set(at_once=20)
    taken: list[int] = []

    def work(name: str) -> None:
        mine = Queue(queue.runs)
        while (entry := mine.take(name)) is not None:
            taken.append(entry.id)
            mine.release(entry.id, name, "finished")

    threads = [threading.Thread(target=work, args=(worker(queue, f"w{n}"),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [entry.id for entry in entries]


def test_reading_a_queue_creates_nothing(queue: Queue) -> None:
    queue.runs.mkdir()
    assert queue.entries() == [] and queue.settings.at_once == 1 and not queue.workers()
    assert list(queue.runs.iterdir()) == []


def _of_text(path: Path) -> None:
    path.write_text("not a database")


def _of_other_tables(path: Path) -> None:
    path.unlink()
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE entries (id INTEGER)")
    database.commit()
    database.close()


def _of_wrong_values(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("UPDATE entries SET kind = 'x', reason = '{'")
    database.commit()
    database.close()


def _of_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def _of_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [_of_text, _of_other_tables, _of_wrong_values, _of_link, _of_folder])
@pytest.mark.parametrize("use", [Queue.entries, lambda queue: queue.take("me"), lambda queue: queue.move(1, 0)])
def test_a_damaged_file_is_said_in_one_sentence(queue: Queue, damage: Any, use: Any) -> None:
    added(queue)
    damage(queue.folder / "queue.sqlite")
    with pytest.raises(ConfigError, match=r"queue\.sqlite"):
        use(queue)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the super user may write everywhere")
def test_a_folder_that_cannot_be_written_is_said(queue: Queue) -> None:
    queue.runs.mkdir(mode=0o500)
    with pytest.raises(ConfigError, match="cannot be written"):
        queue.set(at_once=2)


@pytest.mark.parametrize("given", [0, -1, 10**9])
def test_how_many_at_once_has_bounds(queue: Queue, given: int) -> None:
    with pytest.raises(ConfigError, match="at once"):
        queue.set(at_once=given)
