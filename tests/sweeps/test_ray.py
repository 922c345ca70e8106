"""The queue on a Ray cluster of several nodes' processes: a lost node, steering, and the loss of Ray itself."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import dqngui
from dqngui.config import Experiment
from dqngui.hosts import events_of, open_host, run_inline
from dqngui.messages import Evaluated, Event, Failed, Finished, KnobChanged, Request, SetKnob, Stop
from dqngui.presets import read_experiment
from dqngui.runs.dropped_commands import drop
from dqngui.runs.folder import create, read_events, summary_of
from dqngui.runs.lock import Writer, writer_of
from dqngui.settings import with_settings
from dqngui.sweeps.queue import Queue
from tests.evidence.same_logs import differences

pytestmark = [pytest.mark.extras, pytest.mark.timeout(600)]

STEPS, SEEDS, LONG = 8_000, 8, 50_000_000
STORE = 200 * 1024 * 1024
LIMIT_S = 240.0
SETTINGS: dict[str, Any] = {
    "env.kwargs.length": 3, "net.horizon": 4, "learn.window": 5, "net.width": 16, "run.total_steps": STEPS,
    "run.eval_every": 1000, "run.eval_episodes": 2, "run.checkpoint_every": 1000, "run.device": "cpu",
}  # fmt: skip


def experiment(**changes: Any) -> Experiment:
    return with_settings(read_experiment("tmaze"), {**SETTINGS, **{f"run.{k}": v for k, v in changes.items()}})


def new_cluster() -> Any:
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "object_store_memory": STORE, "include_dashboard": False}
    return Cluster(initialize_head=True, head_node_args=head)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head that trains nothing, and two nodes of two CPUs."""
    found = new_cluster()
    for _ in range(2):
        found.add_node(num_cpus=2, object_store_memory=STORE)
    yield found
    found.shutdown()


@pytest.fixture(scope="module")
def inline(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The runs of all seeds, trained in this process."""
    runs = tmp_path_factory.mktemp("inline")
    folders = [create(runs, experiment(seed=seed)) for seed in range(SEEDS)]
    for seed, folder in enumerate(folders):
        assert list(run_inline(Request(job="train", experiment=experiment(seed=seed), folder=str(folder))))
    return folders


class Work:
    """`dqngui work --on ray`, with what it prints."""

    def __init__(self, runs: Path, address: str, *options: str) -> None:
        command = [sys.executable, "-m", "dqngui", "work", "--on", "ray", "--address", address, "--runs", str(runs)]
        self.said = runs.parent / "said"
        with open(self.said, "ab") as said:
            self.process = subprocess.Popen([*command, *options], stdout=said, stderr=subprocess.STDOUT)

    def wait(self) -> tuple[int, str]:
        try:
            status = self.process.wait(LIMIT_S)
        finally:
            self.process.kill()
        return status, self.said.read_text()


@pytest.fixture
def start() -> Iterator[Callable[..., Work]]:
    """Starts the command; what still runs at the end of a test is killed."""
    begun: list[Work] = []

    def started(*arguments: Any) -> Work:
        begun.append(Work(*arguments))
        return begun[-1]

    yield started
    for each in begun:
        each.process.kill()
        each.process.wait()


Start = Callable[..., Work]


def until(condition: Callable[[], Any], seconds: float = LIMIT_S) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def step_of(folder: Path) -> int:
    summary = summary_of(folder)
    return 0 if summary is None else summary.step


@pytest.mark.parametrize("options", [(), ("--mirror",)], ids=["shared", "mirrored"])
def test_eight_seeds_finish_although_a_node_is_lost(
    cluster: Any, inline: list[Path], tmp_path: Path, start: Start, options: tuple[str, ...]
) -> None:
    runs = tmp_path / "runs"
    folders = [create(runs, experiment(seed=seed)) for seed in range(SEEDS)]
    queue = Queue(runs)
    queue.add([{"folder": str(folder)} for folder in folders])
    work = start(runs, cluster.address, "--at-once", "4", *options)
    until(lambda: sum(1500 < step_of(folder) < STEPS - 1500 for folder in folders) >= 3)
    cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
    cluster.add_node(num_cpus=2, object_store_memory=STORE)
    status, said = work.wait()
    assert status == 0, said
    assert said.count("waits and will be resumed") >= 1, said
    assert [entry.state for entry in queue.entries()] == ["finished"] * SEEDS
    for folder, twin in zip(folders, inline, strict=True):
        assert differences(folder, twin) == []
        assert writer_of(folder) is Writer.NOBODY
    assert not list(runs.glob("*/.ray-*"))


def test_a_run_is_watched_steered_and_stopped_through_its_folder(cluster: Any, tmp_path: Path, start: Start) -> None:
    """The node does not see the folder: what is dropped here reaches it, and what it tells is read here."""
    runs = tmp_path / "runs"
    folder = create(runs, experiment(total_steps=LONG))
    queue = Queue(runs)
    queue.add([{"folder": str(folder)}])
    work = start(runs, cluster.address, "--mirror")
    until(lambda: step_of(folder) > 1000)
    watching = open_host("elsewhere", Request(job="train", folder=str(folder)))
    watching.start()
    seen: list[Event] = []

    def sees(kind: type) -> Callable[[], bool]:
        def look() -> bool:
            seen.extend(watching.drain())
            return any(isinstance(event, kind) for event in seen)

        return look

    until(sees(Evaluated))
    watching.send(SetKnob(field="learn.lr", value=0.0002))
    until(sees(KnobChanged))
    assert [event.new for event in read_events(folder) if isinstance(event, KnobChanged)] == [0.0002]
    assert drop(folder, Stop())
    until(sees(Finished))
    assert not any(isinstance(event, Failed) for event in seen)
    status, said = work.wait()
    assert status == 0 and "is paused" in said
    stopped = step_of(folder)
    queue.resume(queue.entries()[0].id)
    work = start(runs, cluster.address, "--mirror")
    until(lambda: step_of(folder) > stopped + 1000)
    work.process.terminate()
    status, said = work.wait()
    assert status == 130 and [entry.state for entry in queue.entries()] == ["waiting"], said
    assert step_of(folder) > stopped


def test_without_ray_the_command_ends_and_the_runs_wait(tmp_path: Path, start: Start) -> None:
    cluster = new_cluster()
    try:
        cluster.add_node(num_cpus=2, object_store_memory=STORE)
        runs = tmp_path / "runs"
        folders = [create(runs, experiment(total_steps=LONG, seed=seed)) for seed in range(2)]
        queue = Queue(runs)
        queue.add([{"folder": str(folder)} for folder in folders])
        work = start(runs, cluster.address, "--at-once", "2")
        until(lambda: all(step_of(folder) > 2000 for folder in folders))
        children = [psutil.Process(summary.pid) for folder in folders if (summary := summary_of(folder)) is not None]
        cluster.head_node.kill_all_processes(check_alive=False, allow_graceful=False, wait=True)
        status, said = work.wait()
        assert status == 1, said
        assert said.strip().splitlines()[-1] == (
            "dqngui: the Ray cluster does not answer any more; its runs wait in the queue for the next worker"
        )
        assert "Traceback" not in said
        queue.release_lost()
        assert [entry.state for entry in queue.entries()] == ["waiting"] * 2
        gone, left = psutil.wait_procs(children, 10.0)
        assert len(gone) == 2 and not left
        assert [writer_of(folder) for folder in folders] == [Writer.NOBODY] * 2
    finally:
        cluster.shutdown()


@pytest.fixture(scope="module")
def hosts(cluster: Any) -> Iterator[Any]:
    from dqngui.hosts.ray_cluster import RayHosts

    with RayHosts(cluster.address) as found:
        yield found


def test_its_events_are_those_of_every_host(hosts: Any, inline: list[Path], tmp_path: Path) -> None:
    for mirror in (False, True):
        hosts.mirror = mirror
        folder = create(tmp_path / str(mirror), experiment())
        events = list(events_of(hosts.open("ray", Request(job="train", experiment=experiment(), folder=str(folder)))))
        logged = [type(event) for event in events if event.logged]
        assert logged == [type(event) for event in read_events(folder)]
        assert isinstance(events[-1], Finished) and events[-1].reason == "completed"
        assert differences(folder, inline[0]) == []


def test_a_run_without_room_waits_and_can_be_stopped(hosts: Any, tmp_path: Path) -> None:
    folders = [create(tmp_path, experiment(total_steps=LONG, threads=2)) for _ in range(3)]
    opened = [
        hosts.open("ray", Request(job="train", experiment=experiment(total_steps=LONG, threads=2), folder=str(folder)))
        for folder in folders
    ]
    for host in opened:
        host.start()
    until(lambda: sum(writer_of(folder) is not Writer.NOBODY for folder in folders) == 2)
    waiting = next(host for host, folder in zip(opened, folders, strict=True) if writer_of(folder) is Writer.NOBODY)
    waiting.send(Stop())
    until(lambda: not waiting.alive or waiting.drain())
    for host in opened:
        host.kill()
        assert host.join(20.0)
        assert host is waiting or isinstance(host.drain()[-1], Finished)


def test_a_run_that_no_node_can_take_fails_at_once(hosts: Any, tmp_path: Path) -> None:
    wide = experiment(threads=3)
    folder = create(tmp_path, wide)
    failed, finished = events_of(hosts.open("ray", Request(job="train", experiment=wide, folder=str(folder))))
    assert isinstance(failed, Failed) and "has 3 CPUs" in str(failed.text)
    assert isinstance(finished, Finished) and finished.reason == "failed"


def test_a_node_with_another_version_is_refused(hosts: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = create(tmp_path, experiment())
    monkeypatch.setattr(dqngui, "__version__", "0.0.1")
    failed, _ = events_of(hosts.open("ray", Request(job="train", experiment=experiment(), folder=str(folder))))
    assert isinstance(failed, Failed) and "this is 0.0.1" in str(failed.text)
    assert not (folder / "events.jsonl").exists() and writer_of(folder) is Writer.NOBODY


def test_a_cluster_that_is_not_there_is_named(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "dqngui",
        "work",
        "--on",
        "ray",
        "--address",
        "127.0.0.1:1",
        "--runs",
        str(tmp_path),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)
    assert (
        ended.returncode == 2 and "`127.0.0.1:1` cannot be reached" in ended.stderr and "Traceback" not in ended.stderr
    )
