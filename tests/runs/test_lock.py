"""One writer a run: the lock of the operating system, whatever clocks, process ids and copies of descriptors say."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import psutil
import pytest

from dqngui import settings
from dqngui.config import ConfigError, Experiment
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.train import train
from dqngui.messages import Finished, Noted, Request
from dqngui.runs.folder import claim, create, list_runs, new_summary, summary_of, write_summary
from dqngui.runs.lock import LOCK, LockTaken, Writer, WriterLock, take_lock, writer_of

ROOT = Path(__file__).parents[2]
HOLD = "import sys; from pathlib import Path; from dqngui.runs.folder import claim; claim(Path(sys.argv[1])); "
WAIT = "print('held', flush=True); sys.stdin.readline()"
FORKS = HOLD + "import os, time; p = os.fork(); p or time.sleep(60); print(p, flush=True); sys.stdin.readline()"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return running(create(tmp_path, Experiment()))


def running(folder: Path, **changes: object) -> Path:
    """The folder with a summary that says `running`."""
    write_summary(folder, msgspec.structs.replace(new_summary(Experiment()), state="running", **changes))
    return folder


def state(folder: Path) -> str:
    found = summary_of(folder)
    assert found is not None
    return found.state


def other(code: str, folder: Path) -> subprocess.Popen[str]:
    """Another process, which holds the lock once it has printed a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    return process


def test_a_killed_writer_frees_the_run_though_a_process_that_it_forked_lives(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with other(FORKS, folder) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        try:
            assert (writer_of(folder), state(folder)) == (Writer.ELSEWHERE, "running")
            monkeypatch.setattr(psutil.Process, "create_time", lambda self: 0.0)  # a clock that was set
            monkeypatch.setattr(time, "time", lambda: 0.0)
            assert state(folder) == "running"
            with pytest.raises(ConfigError, match="being trained by another process"):
                claim(folder, patience_s=0.05)
            running(folder, pid=process.pid)
            with pytest.raises(ConfigError, match=f"being trained by process {process.pid}"):
                claim(folder, patience_s=0.0)
            os.kill(process.pid, signal.SIGKILL)
            deadline = time.monotonic() + 10
            while writer_of(folder) is Writer.ELSEWHERE and time.monotonic() < deadline:
                time.sleep(0.01)
            # The writer is a zombie now, since nobody has waited for it, and its child lives.
            assert psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE
            assert psutil.pid_exists(child)
            assert state(folder) == "interrupted"
            with claim(folder, patience_s=0.0):
                assert state(folder) == "running"
        finally:
            os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize("pid", [-5, 0, 1, 2**22 + 1, 2**62])
def test_the_process_that_a_summary_names_decides_nothing(folder: Path, pid: int) -> None:
    running(folder, pid=pid, pid_since=psutil.Process(1).create_time())
    assert [run.state for run in list_runs(folder.parent)] == ["interrupted"]
    with claim(folder):
        assert [run.state for run in list_runs(folder.parent)] == ["running"]
        with pytest.raises(ConfigError, match="being trained here already"):
            claim(folder)


def test_a_writer_leaves_nothing_and_its_lock_is_free_at_once(folder: Path) -> None:
    before = sorted(path.name for path in folder.iterdir())
    for _ in range(2):
        claim(folder).release()
        assert sorted(path.name for path in folder.iterdir()) == before
    with claim(folder) as lock:
        lock.release()
        lock.release()


def test_of_many_that_want_a_run_at_once_one_gets_it(folder: Path) -> None:
    won: list[WriterLock | None] = []
    at_once, done = threading.Barrier(8), threading.Barrier(8)

    def want() -> None:
        at_once.wait()
        try:
            won.append(claim(folder, patience_s=0.0))
        except ConfigError:
            won.append(None)
        done.wait()

    for _ in range(20):
        won.clear()
        threads = [threading.Thread(target=want) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        [winner] = [lock for lock in won if lock is not None]
        assert len(won) == 8
        winner.release()


def test_a_reader_does_not_keep_a_writer_away(folder: Path) -> None:
    with open(folder / LOCK, "wb") as asked:
        fcntl.flock(asked, fcntl.LOCK_SH)  # as a reader in another process asks, for a moment
        threading.Timer(0.1, lambda: fcntl.flock(asked, fcntl.LOCK_UN)).start()
        claim(folder).release()


def test_readers_create_nothing_and_ask_in_folders_that_are_only_read(folder: Path) -> None:
    before = sorted(path.name for path in folder.iterdir())
    for path in (folder, folder / "nowhere", folder / "experiment.toml"):
        assert writer_of(path) is Writer.NOBODY
    assert sorted(path.name for path in folder.iterdir()) == before
    with claim(folder):
        (folder / LOCK).chmod(0o444)
        folder.chmod(0o555)
        try:
            assert (writer_of(folder), state(folder)) == (Writer.HERE, "running")
        finally:
            folder.chmod(0o755)


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _link(path: Path) -> None:
    path.symlink_to(path.parent.parent / "elsewhere")


@pytest.mark.parametrize("make", [_fifo, _link, Path.mkdir])
def test_what_is_no_lock_is_neither_waited_for_nor_written_through(folder: Path, make: Callable[[Path], None]) -> None:
    make(folder / LOCK)
    assert (writer_of(folder), state(folder)) == (Writer.NOBODY, "interrupted")
    with pytest.raises(OSError, match=LOCK):
        claim(folder)
    assert not (folder.parent / "elsewhere").exists()


@pytest.mark.parametrize("replaced", [False, True])
def test_a_lock_whose_file_is_removed_is_taken_again(folder: Path, replaced: bool) -> None:
    with claim(folder) as lock:
        (folder / LOCK).unlink()
        if replaced:
            (folder / LOCK).touch()
        assert writer_of(folder) is Writer.NOBODY
        lock.keep()
        assert writer_of(folder) is Writer.HERE
        lock.keep()
    assert not (folder / LOCK).exists()


def test_a_lock_that_another_took_meanwhile_is_noticed(folder: Path) -> None:
    with claim(folder) as lock:
        (folder / LOCK).unlink()
        with take_lock(folder), pytest.raises(LockTaken):
            lock.keep()


def test_where_there_are_no_locks_it_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    (folder / LOCK).touch()  # as a killed process leaves it
    monkeypatch.setattr(fcntl, "flock", none)
    assert (writer_of(folder), state(folder)) == (Writer.UNKNOWN, "running")
    for _ in range(2):
        with pytest.raises(ConfigError, match="file system without locks"):
            claim(folder)
    events = list(train(short(tmp_path / "new"), Inbox(None)))
    said = [event.words for event in events if isinstance(event, Noted)]
    assert any("no locks" in text for text in said)
    assert isinstance(events[-1], Finished)


def short(runs: Path) -> Request:
    """A request for a run of a few steps."""
    changes = {"run.total_steps": 40, "learn.warmup": 1000, "run.eval_every": 0, "net.width": 8, "net.memory": "none"}
    experiment = settings.with_settings(Experiment(), changes)
    return Request(job="train", experiment=experiment, folder=str(create(runs, experiment)))


def test_of_two_resumptions_at_once_the_second_is_refused_before_it_reads(tmp_path: Path) -> None:
    request = short(tmp_path)
    assert isinstance(list(train(request, Inbox(None)))[-1], Finished)
    again = Request(job="train", folder=request.folder, resume=True, options={"total_steps": 80})
    first = train(again, Inbox(None))  # it has read the state, and nothing else yet
    with pytest.raises(ConfigError, match="being trained here already"):
        train(again, Inbox(None))
    end = list(first)[-1]
    assert isinstance(end, Finished)
    assert (end.reason, end.step) == ("completed", 80)
    assert isinstance(list(train(again, Inbox(None)))[-1], Finished)
