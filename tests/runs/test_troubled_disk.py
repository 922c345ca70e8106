"""A disk that is away for a while, full, or whose files are deleted or moved while a run is trained."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dqngui.messages import CheckpointSaved, EpisodeEnded, Event, Failed, Finished, Warned
from dqngui.runs import persistent_write, recorder
from dqngui.runs.folder import create, read_events, summary_of
from dqngui.runs.recorder import record
from dqngui.runs.resume import load_resume
from tests.runs.comparing import contents
from tests.runs.walk import experiment, run, snapshot, walk

TOTAL = 120


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting for the disk, and a flush after each event."""
    monkeypatch.setattr(os, "fsync", lambda fd: None)
    monkeypatch.setattr(recorder, "FLUSH_SECONDS", 0.0)
    monkeypatch.setattr(persistent_write, "PAUSE_SECONDS", 0.001)


@pytest.fixture(scope="module")
def untroubled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = create(tmp_path_factory.mktemp("whole"), experiment())
    list(run(folder, TOTAL))
    return contents(folder)


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return create(tmp_path / "runs", experiment())


class Away:
    """A disk on which the operations from number `first` to number `last` fail with this error."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, first: int, last: int, number: int) -> None:
        self.first, self.last, self.number, self.count = first, last, number, 0
        for name in ("write", "mkdir", "replace", "rename", "ftruncate"):
            monkeypatch.setattr(os, name, self._failing(getattr(os, name)))

    def _failing(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        def failing(*args: Any, **options: Any) -> Any:
            self.count += 1
            if self.first <= self.count <= self.last:
                raise OSError(self.number, os.strerror(self.number))
            return operation(*args, **options)

        return failing


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EROFS, errno.ESTALE, errno.EPERM, errno.ENOENT])
def test_a_disk_that_is_away_for_a_while_costs_nothing(
    new: Path, untroubled: dict[str, Any], number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Away from any moment on: while lines of the log are written, the summary, a checkpoint or the state."""
    with pytest.MonkeyPatch.context() as patch:
        disk = Away(patch, 10**9, 10**9, number)
        events = iter(run(new, TOTAL))
        told: list[Event] = []
        for event in events:
            told.append(event)
            if isinstance(event, EpisodeEnded) and event.step % 7 == 3 and disk.count > disk.last:
                disk.first = disk.count + event.step % 5
                disk.last = disk.first + 3 * (event.step % 11)
            elif disk.last == 10**9 and event.step == 2:
                disk.first, disk.last = disk.count, disk.count + 4
    assert isinstance(told[-1], Finished) and told[-1].reason == "completed"
    warned = [event for event in told if isinstance(event, Warned)]
    assert len(warned) >= 3 and all("tried again for 30 seconds" in event.words for event in warned)
    assert contents(new) == untroubled


@pytest.mark.parametrize("first", [30, 200, 333, 700])
def test_a_disk_that_does_not_come_back_ends_the_run_with_a_sentence(
    new: Path, untroubled: dict[str, Any], first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persistent_write, "PATIENCE_SECONDS", 0.02)
    with pytest.MonkeyPatch.context() as patch:
        Away(patch, first, 10**9, errno.EROFS)
        told = list(run(new, 2000))
    failure, last = told[-2:]
    assert isinstance(failure, Failed) and failure.words.endswith("read-only file system") and not failure.details
    assert isinstance(last, Finished) and last.reason == "failed"
    list(run(new, TOTAL) if load_resume(new).mark.step <= TOTAL else ())
    log = list(read_events(new))
    assert [event.step for event in log] == sorted(event.step for event in log)


def stoppable(folder: Path, damage: Callable[[], None], at: int) -> list[Event]:
    """The walk as a job that stops and saves when the recorder asks for it; `damage` is done at step `at`."""
    asked: list[bool] = []

    def job() -> Iterator[Any]:
        inner = walk(TOTAL, None, {}, 0.0)
        for item in inner:
            yield item
            whole = isinstance(item, EpisodeEnded) or item.step % 10 == 0
            if item.step == at and whole:
                damage()
            if asked and not whole:
                frame = inner.gi_frame.f_locals  # type: ignore[attr-defined]
                yield snapshot(item.step, frame["weights"], frame["best"], frame["generator"], False)
                yield Finished(step=item.step, seconds=1.0, steps_per_second=1.0, reason="stopped")
                return

    return list(record(job(), folder, experiment(), ask_to_stop=lambda: asked.append(True)))


@pytest.mark.parametrize("at", [1, 25, 79])
@pytest.mark.parametrize("what", ["folder", "runs", "log", "episodes and log", "replaced", "moved"])
def test_a_run_whose_files_are_deleted_or_moved_says_so_and_keeps_its_state(
    new: Path, untroubled: dict[str, Any], what: str, at: int
) -> None:
    place = new.with_name("elsewhere") if what == "moved" else new

    def damage() -> None:
        match what:
            case "folder":
                shutil.rmtree(new)
            case "runs":
                shutil.rmtree(new.parent)
            case "moved":
                new.rename(place)
            case "replaced":
                (new / "events.jsonl").rename(new / "events.old")
                (new / "events.jsonl").write_text("something else\n")
                (new / "events.old").unlink()
            case _:
                (new / "events.jsonl").unlink()
                if what != "log":
                    (new / "episodes.idx").unlink()
                    (new / "episodes.dat").unlink()

    told = stoppable(new, damage, at)
    failure, last = told[-2:]
    assert isinstance(failure, Failed) and not failure.mistake and not failure.details
    said = "was moved to" if what == "moved" else "was deleted"
    assert said in failure.words and f"`dqngui train --resume {place}`" in failure.words
    assert isinstance(last, Finished) and last.reason == "failed" and at <= last.step < at + 11
    saved = [event.step for event in told if isinstance(event, CheckpointSaved)]
    assert not saved or load_resume(place).mark.step == last.step
    summary = summary_of(place)
    assert summary is not None and summary.state == "failed"
    assert list(run(place, TOTAL))[-1].reason == "completed"  # type: ignore[attr-defined]
    now = contents(place)
    assert now["log"] == untroubled["log"] and now["episodes"] == untroubled["episodes"]


def test_a_run_that_cannot_be_written_anywhere_says_both_reasons(new: Path) -> None:
    def damage() -> None:
        shutil.rmtree(new.parent)
        new.parent.write_text("a file where the folder was")

    told = stoppable(new, damage, 25)
    assert isinstance(told[-2], Failed)
    assert "was deleted while the run was trained, and its state could not be written anywhere" in told[-2].words
