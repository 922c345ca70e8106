"""The copy of a run's folder that trains on another machine: it can be resumed, bit for bit, after every piece."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from dqngui.config import ConfigError, Experiment
from dqngui.hosts import open_host, run_inline
from dqngui.messages import Request, SaveCheckpoint, Stop
from dqngui.presets import read_experiment
from dqngui.runs.folder import EVENTS, create, read_events, summary_of
from dqngui.runs.live_file import LIVE
from dqngui.runs.mirror import CHUNK, Mirror, whole_folder
from dqngui.runs.pieces import FolderCopy, Piece
from dqngui.runs.resume import read_meta
from dqngui.runs.unsaved import begin_again
from dqngui.settings import with_settings
from tests.evidence.same_logs import differences

STEPS = 900
SETTINGS: dict[str, Any] = {
    "env.kwargs.length": 3, "net.horizon": 4, "learn.window": 5, "net.width": 16, "run.total_steps": STEPS,
    "run.eval_every": 225, "run.eval_episodes": 2, "run.checkpoint_every": 225, "run.device": "cpu",
}  # fmt: skip


def experiment() -> Experiment:
    return with_settings(read_experiment("tmaze"), SETTINGS)


def copied(pieces: Iterable[Piece], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    copy = FolderCopy(folder)
    for piece in pieces:
        copy.apply(piece)
    return folder


def mirrored(request: Request, kind: str = "inline") -> list[Piece]:
    """The pieces of a job, which is looked at after each of its events, or in a thread at any moment."""
    assert request.folder is not None
    mirror = Mirror(Path(request.folder))
    pieces: list[Piece] = []
    host = open_host(kind, request)
    host.start()
    while host.alive:
        host.drain(1.0)
        pieces += mirror.scan()
    host.join()
    return pieces + list(mirror.scan())


def finished(folder: Path) -> Path:
    """Go on with a run that was killed, as the queue does, to its end."""
    try:
        read_meta(folder)
    except ConfigError:
        begin_again(folder)
        request = Request(job="train", experiment=experiment(), folder=str(folder))
    else:
        request = Request(job="train", folder=str(folder), resume=True)
    last = list(run_inline(request))[-1]
    assert getattr(last, "reason", "") == "completed"
    return folder


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[Piece]]:
    """An untouched folder of a run, the run trained from it, and what told a copy of it meanwhile."""
    place = tmp_path_factory.mktemp("mirrored")
    folder = create(place / "runs", experiment())
    untouched = Path(shutil.copytree(folder, place / "untouched"))
    return untouched, folder, mirrored(Request(job="train", experiment=experiment(), folder=str(folder)), "thread")


def test_a_copy_ends_as_the_run_itself(begun: tuple[Path, Path, list[Piece]], tmp_path: Path) -> None:
    untouched, folder, pieces = begun
    copy = copied(pieces, Path(shutil.copytree(untouched, tmp_path / "copy")))
    assert differences(folder, copy) == []
    assert (copy / EVENTS).read_bytes() == (folder / EVENTS).read_bytes()
    names = [
        sorted(str(path.relative_to(each)) for path in each.rglob("*") if path.is_file()) for each in (folder, copy)
    ]
    assert names[0] == names[1]
    summary = summary_of(copy)
    assert summary is not None and summary.state == "finished" and summary.step >= STEPS
    assert len(pieces) > 50


def test_killed_between_any_two_pieces_it_can_be_resumed(begun: tuple[Path, Path, list[Piece]], tmp_path: Path) -> None:
    """Each prefix holds a whole state whose log, cut there, is the run's own, or none and can begin again."""
    untouched, folder, pieces = begun
    log = (folder / EVENTS).read_bytes()
    copy = Path(shutil.copytree(untouched, tmp_path / "copy"))
    receiver = FolderCopy(copy)
    states = set()
    for piece in pieces:
        receiver.apply(piece)
        if piece.kind != "swap" and not states:
            continue
        mark, _ = read_meta(copy)
        states.add(mark.step)
        assert (copy / EVENTS).read_bytes()[: mark.events] == log[: mark.events]
        assert (copy / EVENTS).stat().st_size >= mark.events
        assert (copy / "episodes.dat").stat().st_size >= mark.episodes_data
        assert (copy / "episodes.idx").stat().st_size >= mark.episodes_index
        list(read_events(copy))
    assert len(states) >= 3


def test_a_copy_killed_at_random_trains_to_the_same_end(begun: tuple[Path, Path, list[Piece]], tmp_path: Path) -> None:
    untouched, folder, pieces = begun
    cuts = random.Random(4).sample(range(1, len(pieces)), 3)
    swaps = [at for at, piece in enumerate(pieces) if piece.kind == "swap"]
    for cut in sorted({*cuts, swaps[0], swaps[0] + 1, swaps[-1]}):
        copy = copied(pieces[:cut], Path(shutil.copytree(untouched, tmp_path / f"copy-{cut}")))
        FolderCopy(copy).settle()
        assert differences(folder, finished(copy)) == [], f"cut before piece {cut}"


def test_a_resumed_run_is_sent_and_comes_back(begun: tuple[Path, Path, list[Piece]], tmp_path: Path) -> None:
    """The node gets the folder, with lines that are lost, goes on there, and the driver's folder goes on with it."""
    untouched, folder, pieces = begun
    swaps = [at for at, piece in enumerate(pieces) if piece.kind == "swap"]
    here = copied(pieces[: swaps[2]], Path(shutil.copytree(untouched, tmp_path / "here")))
    FolderCopy(here).settle()
    there = copied(whole_folder(here), tmp_path / "there")
    beyond = (here / EVENTS).stat().st_size - read_meta(here)[0].events
    assert beyond > 0
    back = mirrored(Request(job="train", folder=str(there), resume=True))
    copied(back, here)
    assert differences(folder, here) == []
    assert (here / "events.discarded.jsonl").stat().st_size >= beyond
    assert (here / LIVE).read_bytes() == (there / LIVE).read_bytes()


def test_a_stopped_run_is_the_same_there(tmp_path: Path) -> None:
    folder = create(tmp_path / "runs", experiment())
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    schedule = (SaveCheckpoint(at=200), Stop(at=500))
    copied(mirrored(Request(job="train", experiment=experiment(), folder=str(folder), schedule=schedule)), copy)
    assert differences(folder, copy) == [] and read_meta(copy)[0].step == read_meta(folder)[0].step >= 500


@pytest.mark.parametrize(
    "piece",
    [
        Piece("write", "../elsewhere", 0, b"x"),
        Piece("write", "/etc/passwd", 0, b"x"),
        Piece("write", "checkpoints/../../x.pt", 0, b"x"),
        Piece("write", "resume/meta.json", 0, b"x"),
        Piece("begin", "checkpoints/00.pt", 0, b"x"),
        Piece("write", "commands/writer.json", 0, b"x"),
        Piece("write", EVENTS, 10, b"beyond the end"),
        Piece("write", EVENTS, -1, b"x"),
    ],
)
def test_no_piece_leads_elsewhere(piece: Piece, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        copied([piece], tmp_path / "run")
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size] == []


def test_no_piece_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "run" / EVENTS).symlink_to(tmp_path / "victim")
    (tmp_path / "run" / "checkpoints").symlink_to(tmp_path)
    for piece in (Piece("write", EVENTS, 0, b"x"), Piece("begin", "checkpoints/1.pt", 0, b"x")):
        with pytest.raises((OSError, ConfigError)):
            copied([piece], tmp_path / "run")
    assert (tmp_path / "victim").read_text() == "mine" and not (tmp_path / "1.pt.new").exists()


def test_a_large_file_comes_in_parts(tmp_path: Path) -> None:
    source = create(tmp_path / "runs", experiment())
    (source / EVENTS).write_bytes(b"x" * (2 * CHUNK + 5))
    copy = copied(whole_folder(source), tmp_path / "copy")
    assert (copy / EVENTS).read_bytes() == (source / EVENTS).read_bytes()
