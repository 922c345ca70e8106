"""The queue in the window: what is added, changed and read, and when a worker is started."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from pytestqt.qtbot import QtBot

from dqngui import presets
from dqngui.config import Experiment
from dqngui.jobs.knobs import Knobs
from dqngui.lab.background.timing import Timing
from dqngui.lab.queue.run_queue import RunQueue
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import Action
from dqngui.runs.folder import EVENTS, create, read_experiment, summary_of
from dqngui.runs.resume import LogMark, save_resume
from dqngui.settings import with_settings
from dqngui.sweeps.entry import Entry
from dqngui.sweeps.queue import Queue
from dqngui.sweeps.sweep_file import sweep_from
from dqngui.texts import Text, say, words
from tests.doubles.scripted_host import ScriptedHost
from tests.doubles.scripted_worker import ScriptedWorkers


class Parts(SimpleNamespace):
    queue: RunQueue
    session: Session
    workers: ScriptedWorkers
    said: list[str]
    stored: Queue
    runs: Path

    def entries(self) -> list[Entry]:
        return self.stored.entries()

    def states(self) -> list[str]:
        return [row.entry.state for row in self.queue.rows]


@pytest.fixture
def parts(qtbot: QtBot, tmp_path: Path) -> Iterator[Parts]:
    runs = tmp_path / "runs"
    session = Session(presets.read_experiment("tmaze"), runs=runs, open_host=ScriptedHost)
    workers, said = ScriptedWorkers(), list[str]()
    queue = RunQueue(session, start_worker=workers, timing=Timing(automatic=False))
    session.message.connect(lambda text, details: said.append(words(text)))
    for signal in (queue.added, queue.told):
        signal.connect(lambda text: said.append(words(text)))
    queue.start()
    yield Parts(queue=queue, session=session, workers=workers, said=said, stored=Queue(runs), runs=runs)
    queue.stop()
    queue.join()
    session.kill()


@pytest.fixture
def wait(qtbot: QtBot, parts: Parts) -> Callable[[Callable[[], bool]], None]:
    """Waits until something is true; the queue is read again and again meanwhile, as by its timer."""

    def wait(reached: Callable[[], bool]) -> None:
        def look() -> bool:
            parts.queue.refresh()
            return reached()

        qtbot.waitUntil(look, timeout=5000)

    return wait


Wait = Callable[[Callable[[], bool]], None]


def test_an_experiment_is_added_once_for_each_seed_and_one_worker_is_started(parts: Parts, wait: Wait) -> None:
    parts.queue.add_draft([0, 3, 7])
    wait(lambda: len(parts.queue.rows) == 3 and bool(parts.workers.started))
    seeds = [summary.seed for row in parts.queue.rows if (summary := row.run.summary) is not None]
    assert seeds == [0, 3, 7]
    assert parts.said == ["3 runs were added to the queue"]
    parts.queue.add_draft([9], first=True)
    wait(lambda: len(parts.queue.rows) == 4)
    first = parts.queue.rows[0].run.summary
    assert first is not None and first.seed == 9
    assert len(parts.workers.started) == 1  # never two of one window


def test_a_worker_of_a_command_line_is_enough(parts: Parts, wait: Wait) -> None:
    other = ScriptedWorkers()(parts.runs)
    parts.queue.add_draft([0])
    wait(
        lambda: len(parts.queue.rows) == 1 and parts.queue.view is not None and bool(parts.queue.view.overview.workers)
    )
    assert parts.workers.started == []
    other.die()
    wait(lambda: len(parts.workers.started) == 1)  # what was asked for is trained all the same


def test_nothing_is_started_for_what_was_waiting_before_until_somebody_asks(parts: Parts, wait: Wait) -> None:
    parts.stored.add([{"folder": str(create(parts.runs, parts.session.draft.experiment))}])
    wait(lambda: parts.queue.waits_for_worker)
    assert parts.workers.started == []
    parts.queue.train_now()
    wait(lambda: len(parts.workers.started) == 1)
    assert not parts.queue.waits_for_worker


def test_a_paused_queue_starts_no_worker_until_it_goes_on(parts: Parts, wait: Wait) -> None:
    parts.queue.set_paused(True)
    wait(lambda: parts.queue.paused)
    parts.queue.add_draft([0])
    wait(lambda: len(parts.queue.rows) == 1)
    assert parts.said == ["1 run was added to the queue, which is paused"]
    assert parts.workers.started == []
    parts.queue.set_paused(False)
    wait(lambda: len(parts.workers.started) == 1)


def test_why_a_worker_cannot_be_started_or_has_ended_is_said(parts: Parts, wait: Wait) -> None:
    parts.workers.refuses = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    parts.queue.add_draft([0])
    wait(lambda: len(parts.said) == 2)
    assert "the worker of the queue was not started: No space left on device" in parts.said
    parts.workers.refuses = None
    parts.queue.train_now()
    wait(lambda: len(parts.workers.started) == 1)
    parts.workers.started[0].die(say("queue.worker_killed", signal="SIGKILL"))
    wait(lambda: len(parts.said) == 3)
    assert "it was ended by SIGKILL; its runs wait" in parts.said[-1]
    wait(lambda: parts.queue.waits_for_worker)
    assert len(parts.workers.started) == 1  # not again and again


def test_entries_are_moved_paused_resumed_cancelled_and_removed(parts: Parts, wait: Wait) -> None:
    parts.queue.add_draft([0, 1, 2, 3])
    wait(lambda: len(parts.queue.rows) == 4)
    one, two, three, four = (row.entry.id for row in parts.queue.rows)
    order = lambda: [row.entry.id for row in parts.queue.rows]  # noqa: E731
    parts.queue.move([three, four], 0)
    wait(lambda: order() == [three, four, one, two])
    parts.queue.move([three], 3)  # as dropped: before the last
    wait(lambda: order() == [four, one, three, two])
    parts.queue.pause([one, three])
    wait(lambda: parts.states() == ["waiting", "paused", "paused", "waiting"])
    parts.queue.resume([one, two])  # the one that waits stays as it is
    wait(lambda: parts.states() == ["waiting", "waiting", "paused", "waiting"])
    parts.queue.cancel([four])
    wait(lambda: parts.states() == ["waiting", "paused", "waiting", "cancelled"])
    parts.queue.remove([four])
    wait(lambda: order() == [one, three, two])
    assert parts.said == ["4 runs were added to the queue"]


def test_what_all_refuse_is_one_message(parts: Parts, wait: Wait) -> None:
    parts.queue.add_draft([0, 1])
    wait(lambda: len(parts.queue.rows) == 2 and bool(parts.workers.started))
    parts.queue.set_at_once(2)
    wait(lambda: parts.queue.view is not None and parts.queue.view.overview.settings.at_once == 2)
    ids = [parts.workers.started[0].take().id for _ in range(2)]
    wait(lambda: parts.states() == ["running", "running"])
    parts.queue.remove(ids)
    wait(lambda: len(parts.said) == 2)
    assert "is being trained: cancel it first" in parts.said[-1]


def test_threads_and_device_are_set_before_a_run_begins_and_not_after(parts: Parts, wait: Wait) -> None:
    parts.queue.add_draft([0, 1])
    wait(lambda: len(parts.queue.rows) == 2)
    ids = [row.entry.id for row in parts.queue.rows]
    parts.queue.set_training(ids, threads=2, device="cpu")
    wait(lambda: [row.run.threads for row in parts.queue.rows] == [2, 2])
    folders = [Path(row.folder) for row in parts.queue.rows]
    assert read_experiment(folders[0]).run.device == "cpu"
    (folders[0] / EVENTS).touch()
    parts.queue.set_training(ids[:1], threads=4)
    wait(lambda: len(parts.said) == 2)
    assert "has begun" in parts.said[-1]
    assert read_experiment(folders[0]).run.threads == 2
    assert parts.states() == ["waiting", "waiting"]


def stopped(parts: Parts, total: int = 100_000) -> Path:
    """A stored run that can be resumed."""
    experiment = with_settings(parts.session.draft.experiment, {"run.total_steps": total})
    folder = create(parts.runs, experiment)
    (folder / EVENTS).touch()
    save_resume(folder, {}, {"knobs": Knobs(experiment).data()}, LogMark(step=500))
    return folder


def test_stored_runs_are_added_to_go_on_and_those_that_cannot_are_refused(parts: Parts, wait: Wait) -> None:
    good, fresh = stopped(parts), create(parts.runs, parts.session.draft.experiment)
    parts.queue.add_resumed([fresh, good])
    wait(lambda: len(parts.queue.rows) == 1)
    assert parts.queue.rows[0].entry.kind == "resume"
    assert parts.said == ["1 run was added to the queue"]
    parts.queue.add_resumed([fresh])
    wait(lambda: len(parts.said) == 2)
    assert len(parts.entries()) == 1


def test_a_fork_of_the_open_run_is_added(qtbot: QtBot, parts: Parts, wait: Wait) -> None:
    folder = stopped(parts)
    assert parts.session.open_stored(folder)
    qtbot.waitUntil(lambda: parts.session.log.share >= 1 and not parts.session.log.reading)
    parts.session.edit({"learn.lr": 3e-4})
    parts.queue.add_fork()
    wait(lambda: len(parts.queue.rows) == 1)
    (row,) = parts.queue.rows
    assert (row.entry.kind, row.entry.parent) == ("fork", str(folder))
    assert read_experiment(Path(row.folder)).learn.lr == 3e-4


def test_a_draft_that_does_not_fit_is_not_added(parts: Parts) -> None:
    parts.session.edit({"net.width": -1})
    assert Action.QUEUE not in parts.session.allowed
    parts.queue.add_draft([0])
    assert not parts.entries()


def test_without_a_folder_of_runs_there_is_no_queue(qtbot: QtBot) -> None:
    session, said = Session(Experiment(), open_host=ScriptedHost), list[str]()
    session.message.connect(lambda text, details: said.append(words(text)))
    queue = RunQueue(session, start_worker=ScriptedWorkers())
    queue.start()
    assert not queue.available
    queue.add_draft([0])
    assert said == ["there is no queue, because the runs of this window are not stored"]
    queue.stop()
    queue.join()


def test_a_damaged_queue_is_a_sentence_and_the_window_goes_on(parts: Parts, wait: Wait) -> None:
    parts.queue.add_draft([0])
    wait(lambda: len(parts.queue.rows) == 1)
    (file,) = parts.stored.folder.glob("queue.*")
    file.write_bytes(b"x" * 4096)
    wait(lambda: "is damaged" in words(parts.queue.problem))


SWEEP = {
    "base": {"file": "tmaze"},
    "axes": [{"setting": "net.memory", "values": ["gru", "lstm"]}],
    "seeds": "0-1",
}


def test_a_sweep_is_stored_and_its_first_runs_wait_under_their_trials(parts: Parts, wait: Wait) -> None:
    parts.queue.add_sweep(sweep_from(SWEEP))
    wait(lambda: len(parts.queue.rows) == 4)
    assert [row.trial for row in parts.queue.rows] == ["memory=gru", "memory=gru", "memory=lstm", "memory=lstm"]
    assert {row.sweep for row in parts.queue.rows} == {"sweep-t-maze-30-steps"}
    assert parts.said == ["4 runs were added to the queue"]
    found: list[object] = []
    parts.queue.results(parts.queue.rows[0].entry.sweep, found.append)
    wait(lambda: bool(found))
    assert [row.trial.label for row in found[0].rows] == ["memory=gru", "memory=lstm"]  # type: ignore[attr-defined]
    parts.queue.results("nowhere", found.append)
    wait(lambda: len(found) == 2)
    assert isinstance(found[1], Text)


def test_stopping_leaves_the_worker_alone_unless_it_was_asked_to_end(parts: Parts, wait: Wait) -> None:
    parts.queue.add_draft([0])
    wait(lambda: bool(parts.workers.started) and bool(parts.queue.rows))
    (worker,) = parts.workers.started
    assert parts.queue.trains
    parts.queue.end_worker()
    assert worker.ended and not parts.queue.trains
    parts.queue.stop()
    assert parts.queue.alive  # its runs are being saved
    worker.die()
    parts.queue.join()
    assert not parts.queue.alive
    assert not worker.left


def test_a_worker_goes_on_when_the_window_stops(parts: Parts, wait: Wait) -> None:
    parts.queue.add_draft([0])
    wait(lambda: bool(parts.workers.started))
    parts.queue.stop()
    parts.queue.join()
    assert parts.workers.started[0].left and not parts.workers.started[0].ended
    assert not parts.queue.alive


def test_a_worker_without_work_does_not_stay_behind(parts: Parts, wait: Wait) -> None:
    parts.queue.add_draft([0])
    wait(lambda: bool(parts.workers.started) and bool(parts.queue.rows))
    parts.queue.set_paused(True)
    wait(lambda: parts.queue.paused)
    assert not parts.queue.trains
    parts.queue.stop()
    parts.queue.join()
    assert parts.workers.started[0].ended


def test_rows_stand_in_the_order_in_which_they_are_trained(parts: Parts, wait: Wait) -> None:
    parts.queue.add_draft([0, 1, 2, 3])
    wait(lambda: len(parts.queue.rows) == 4 and bool(parts.workers.started))
    first = parts.workers.started[0].take()
    parts.stored.change(parts.entries()[1].id, state="failed", reason=say("queue.ended_silently"))
    parts.stored.change(parts.entries()[2].id, state="finished")
    wait(lambda: parts.states() == ["running", "waiting", "finished", "failed"])
    assert parts.queue.rows[0].entry.id == first.id
    assert summary_of(Path(parts.queue.rows[0].folder)) is not None
