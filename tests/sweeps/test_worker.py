"""The worker: what it takes, how runs end, and what is left when it stops or is lost. Its hosts train nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dqngui.config import Experiment
from dqngui.messages import Failed, Stop
from dqngui.runs.folder import create, summary_of
from dqngui.settings import with_settings
from dqngui.sweeps.entry import Entry
from dqngui.sweeps.worker import Worker
from dqngui.texts import say
from tests.sweeps.scripted_hosts import ScriptedHosts


class Clock:
    """Seconds that pass when told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """A queue with a worker.

    Attributes:
        told: (run's name, state) of each note.
    """

    def __init__(self, runs: Path) -> None:
        self.runs, self.hosts, self.clock = runs, ScriptedHosts(), Clock()
        self.told: list[tuple[str, str]] = []
        self.worker = self.new_worker()
        self.queue = self.worker.queue

    def new_worker(self) -> Worker:
        return Worker(
            self.runs,
            open_host=self.hosts.open,  # type: ignore[arg-type]
            clock=self.clock,
            tell=lambda note: self.told.append((note.entry.folder, note.state)),
        )

    def add(self, count: int = 1, **given: object) -> list[Entry]:
        experiment = with_settings(Experiment(), {"run.total_steps": 1000})
        return self.queue.add([{"folder": str(create(self.runs, experiment)), **given} for _ in range(count)])

    def tick(self, seconds: float = 1.0) -> bool:
        self.clock.now += seconds
        return self.worker.tick()

    @property
    def states(self) -> list[str]:
        return [entry.state for entry in self.queue.entries()]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "runs")
    yield bench
    bench.worker.close()


def test_a_worker_trains_the_queue_to_its_end(bench: Bench) -> None:
    bench.add(3)
    bench.queue.set(at_once=2)
    assert bench.tick()
    assert bench.states == ["running", "running", "waiting"]
    bench.hosts.finish_all()
    assert bench.tick()
    assert bench.states == ["finished", "finished", "running"]
    bench.hosts.finish_all()
    assert not bench.tick()
    assert bench.states == ["finished"] * 3


def test_a_run_that_fails_says_why_and_the_others_go_on(bench: Bench) -> None:
    one, _ = bench.add(2)
    bench.hosts.failing.add(one.folder)
    bench.tick()
    bench.tick()
    assert bench.states == ["failed", "running"]
    assert "without a word" in str(bench.queue.entry(one.id).reason)
    bench.hosts.failing.clear()
    bench.queue.resume(one.id)
    bench.hosts.finish_all()
    bench.tick()
    assert bench.states == ["running", "finished"]


def test_a_run_whose_process_is_killed_goes_on_and_fails_when_that_never_ends(bench: Bench) -> None:
    (one,) = bench.add()
    killed = Failed(step=0, text=say("host.killed_for_memory", signal="SIGKILL"))
    for turn in range(8):
        bench.tick()
        for host in [each for each in bench.hosts.opened if each.alive]:
            host.advance(10)
            if turn == 1:  # whoever comes further may be killed again
                host.save()
            host.die(killed)
    assert bench.states == ["failed"] and len(bench.hosts.opened) == 7
    assert "SIGKILL" in str(bench.queue.entry(one.id).reason)


def test_a_folder_that_is_gone_fails_alone(bench: Bench) -> None:
    one, _ = bench.add(2)
    shutil.rmtree(bench.queue.path_of(one))
    bench.tick()
    assert bench.states == ["failed", "running"]
    assert "gone" in str(bench.queue.entry(one.id).reason)


def test_pause_saves_a_run_and_resume_goes_on_with_it(bench: Bench) -> None:
    (one,) = bench.add()
    bench.tick()
    bench.hosts.opened[0].advance(300)
    bench.queue.pause(one.id)
    bench.tick()
    bench.tick()
    assert bench.states == ["paused"] and summary_of(bench.queue.path_of(one)).step == 300
    bench.queue.resume(one.id)
    bench.tick()
    assert bench.hosts.opened[1].request.resume and bench.hosts.opened[1].request.folder.endswith(one.folder)


def test_cancel_saves_a_run_and_ends_it(bench: Bench) -> None:
    (one,) = bench.add()
    bench.tick()
    bench.queue.cancel(one.id)
    bench.tick()
    assert not bench.tick()
    assert bench.states == ["cancelled"]


def test_a_run_that_somebody_stops_is_paused_and_says_so(bench: Bench) -> None:
    (one,) = bench.add()
    bench.tick()
    bench.hosts.opened[0].send(Stop())
    bench.tick()
    assert bench.states == ["paused"] and "outside" in str(bench.queue.entry(one.id).reason)


def test_a_run_is_paused_one_vector_step_after_its_rung(bench: Bench) -> None:
    (one,) = bench.add(until=400)
    bench.tick()
    (stop,) = bench.hosts.opened[0].request.schedule
    assert isinstance(stop, Stop) and stop.at == 400 + Experiment().env.num_envs
    bench.hosts.opened[0].advance(stop.at)
    bench.hosts.opened[0].send(Stop())
    bench.tick()
    assert bench.states == ["reached"]
    bench.queue.change(one.id, state="waiting")  # as after a kill between the save and the note in the queue
    bench.tick()
    assert bench.states == ["reached"] and len(bench.hosts.opened) == 1


def test_a_stopped_worker_leaves_its_runs_to_another(bench: Bench) -> None:
    bench.add(2)
    bench.queue.set(at_once=2)
    bench.tick()
    bench.worker.stop()
    assert not bench.tick()
    assert bench.states == ["waiting", "waiting"]
    bench.worker.close()
    bench.worker = bench.new_worker()
    bench.tick()
    assert [host.request.resume for host in bench.hosts.opened] == [False, False, True, True]


def test_what_a_lost_worker_trained_is_resumed_by_another(bench: Bench) -> None:
    bench.add()
    bench.tick()
    bench.hosts.opened[0].advance(10)
    bench.hosts.opened[0].send(Stop())  # saved, and then everything is killed
    bench.worker._lock.release()
    bench.worker = bench.new_worker()
    bench.tick()
    assert bench.hosts.opened[1].request.resume and bench.states == ["running"]
    assert len(bench.queue.workers()) == 1


def test_a_run_that_was_killed_before_it_was_saved_begins_again(bench: Bench) -> None:
    (one,) = bench.add()
    (bench.queue.path_of(one) / "events.jsonl").write_text("torn")
    bench.tick()
    (host,) = bench.hosts.opened
    assert not host.request.resume and (bench.queue.path_of(one) / "events.jsonl").read_text() == ""


def test_a_finished_run_is_not_trained_again(bench: Bench) -> None:
    (one,) = bench.add()
    bench.tick()
    bench.hosts.finish_all()
    bench.queue.change(one.id, worker="gone")  # killed before it noted the end
    bench.tick()
    bench.tick()
    assert bench.states == ["finished"] and len(bench.hosts.opened) == 1


def test_two_workers_share_one_queue(bench: Bench) -> None:
    bench.add(3)
    bench.queue.set(at_once=2)
    other = bench.new_worker()
    bench.tick()
    other.tick()
    assert len(bench.hosts.running) == 2 and len(set(bench.hosts.running)) == 2
    bench.hosts.finish_all()
    bench.tick()
    other.tick()
    bench.hosts.finish_all()
    bench.tick()
    other.tick()
    other.close()
    assert bench.states == ["finished"] * 3 and len(bench.hosts.opened) == 3


def test_the_time_that_a_run_took_is_measured_on_the_workers_clock(bench: Bench) -> None:
    (one,) = bench.add()
    bench.tick()
    bench.hosts.opened[0].advance(500)
    bench.tick(6.0)
    entry = bench.queue.entry(one.id)
    assert (entry.seconds, entry.steps) == (6.0, 500)
    bench.hosts.finish_all()
    bench.tick(4.0)
    entry = bench.queue.entry(one.id)
    assert (entry.seconds, entry.steps, entry.speed) == (10.0, 1000, 100.0)


def test_a_run_whose_machine_is_lost_waits_and_is_resumed(bench: Bench) -> None:
    (one,) = bench.add()
    bench.tick()
    host = bench.hosts.opened[0]
    host.advance(300)
    host.save()
    host.advance(300)
    host.lose()
    bench.tick()
    assert (bench.told[-2], bench.states) == ((one.folder, "waiting"), ["running"])
    assert bench.hosts.opened[1].request.resume
    bench.hosts.finish_all()
    assert not bench.tick()
    assert bench.states == ["finished"]


def test_a_run_that_is_lost_again_and_again_fails_unless_it_comes_further(bench: Bench) -> None:
    (one,) = bench.add()
    for saved in (100, 200, 300, 400, 500, 600, 700):
        bench.tick()
        host = bench.hosts.opened[-1]
        host.advance(saved)
        host.save()
        host.lose()
    for _ in range(5):
        assert bench.tick() and bench.states == ["running"]
        bench.hosts.opened[-1].lose()
    assert not bench.tick()
    assert bench.states == ["failed"]
    assert "lost 5 times in a row" in str(bench.queue.entry(one.id).reason)


@pytest.mark.parametrize(("wish", "state"), [("pause", "paused"), ("cancel", "cancelled")])
def test_a_run_that_is_lost_while_it_is_to_end_is_not_resumed(bench: Bench, wish: str, state: str) -> None:
    (one,) = bench.add()
    bench.tick()
    host = bench.hosts.opened[0]
    host.send = lambda command: None  # type: ignore[method-assign]  # it is lost before it hears of it
    getattr(bench.queue, wish)(one.id)
    bench.tick()
    host.lose()
    assert not bench.tick()
    assert bench.states == [state]
