"""Commands that are dropped into a run's folder: only what is addressed to its writer is carried out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dqngui import messages as m
from dqngui.runs.dropped_commands import FOLDER, MOST_FILES, CommandFiles, drop


class Clock:
    now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


@pytest.fixture
def files(tmp_path: Path) -> CommandFiles:
    return CommandFiles(tmp_path, Clock())


def test_commands_arrive_once_and_in_order(files: CommandFiles, tmp_path: Path) -> None:
    sent = [m.SetKnob(field="learn.lr", value=value) for value in (1e-3, 1e-4, 1e-5)]
    assert all(drop(tmp_path, command) for command in [*sent, m.Pause()])
    assert files.poll() == [*sent, m.Pause()] and files.poll() == []


def test_it_looks_at_most_every_tenth_of_a_second(tmp_path: Path) -> None:
    now = 0.0
    files = CommandFiles(tmp_path, lambda: now)
    assert files.poll() == []
    drop(tmp_path, m.Pause())
    now = 0.05
    assert files.poll() == []
    now = 0.11
    assert files.poll() == [m.Pause()]


def test_a_command_for_a_former_writer_is_removed_and_never_carried_out(files: CommandFiles, tmp_path: Path) -> None:
    (tmp_path / "aside").mkdir()
    drop(tmp_path, m.Stop())
    (name,) = [path for path in (tmp_path / FOLDER).iterdir() if path.name != "writer.json"]
    content = name.read_bytes()
    later = CommandFiles(tmp_path, Clock())  # another writer begins: what waits is gone
    assert later.poll() == []
    (tmp_path / FOLDER / name.name).write_bytes(content)  # as in a copied folder
    assert later.poll() == [] and not (tmp_path / FOLDER / name.name).exists()


def test_nobody_listens_after_the_end_and_nothing_is_left(files: CommandFiles, tmp_path: Path) -> None:
    files.close()
    assert not drop(tmp_path, m.Pause()) and list(tmp_path.iterdir()) == []


def test_a_step_of_the_schedule_cannot_be_smuggled_in(files: CommandFiles, tmp_path: Path) -> None:
    drop(tmp_path, m.Pause(at=10**12))
    assert files.poll() == [m.Pause()]  # due at once: a command that waits for ever would never be answered


def _text(content: str) -> Callable[[Path, str], None]:
    return lambda path, writer: path.write_text(content.replace("WRITER", writer)) and None


def _link(path: Path, writer: str) -> None:
    path.symlink_to("/etc/passwd")


def _loop(path: Path, writer: str) -> None:
    path.symlink_to(path.name)


def _pipe(path: Path, writer: str) -> None:
    os.mkfifo(path)


def _folder(path: Path, writer: str) -> None:
    (path / "deeper").mkdir(parents=True)


KNOB = '{"writer": "WRITER", "command": {"type": "SetKnob", "field": "learn.lr", "value": '
HOSTILE = {
    "nothing": _text(""),
    "half": _text('{"writer": "WRITER", "comm'),
    "no JSON": _text("\0" * 100),
    "a number": _text("7"),
    "another type": _text('{"writer": "WRITER", "command": {"type": "Explode"}}'),
    "an event": _text('{"writer": "WRITER", "command": {"type": "Finished", "step": 1}}'),
    "for the player": _text('{"writer": "WRITER", "command": {"type": "OpenAgent", "folder": "/"}}'),
    "no writer": _text('{"command": {"type": "Stop"}}'),
    "another writer": _text('{"writer": "somebody", "command": {"type": "Stop"}}'),
    "deep": _text(KNOB + "[" * 5_000 + "]" * 5_000 + "}}"),
    "huge": _text('{"writer": "WRITER", "command": {"type": "Stop"}, "x": "' + "y" * 200_000 + '"}'),
    "large number": _text(KNOB + "1" + "0" * 400 + "}}"),
    "a link": _link,
    "a loop": _loop,
    "a pipe": _pipe,
    "a folder": _folder,
}  # fmt: skip


@pytest.mark.skipif(os.name != "posix", reason="links and pipes")
@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_command_is_removed(files: CommandFiles, tmp_path: Path, kind: str) -> None:
    passwords = Path("/etc/passwd").read_bytes()
    HOSTILE[kind](tmp_path / FOLDER / "0.json", files.writer)
    drop(tmp_path, m.Pause())
    assert files.poll() == [m.Pause()]  # the one behind it comes all the same
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == ["writer.json"]
    assert Path("/etc/passwd").read_bytes() == passwords


def test_thousands_of_files_do_not_hold_up_training(files: CommandFiles, tmp_path: Path) -> None:
    for number in range(3 * MOST_FILES):
        command = {"type": "SetKnob", "field": "learn.lr", "value": 1e-3}
        text = json.dumps({"writer": files.writer, "command": command})
        (tmp_path / FOLDER / f"{number:06d}.json").write_text(text)
    assert [len(files.poll()) for _ in range(4)] == [MOST_FILES, MOST_FILES, MOST_FILES, 0]


@pytest.mark.parametrize("kind", ["a link", "a file", "missing"])
def test_a_folder_that_cannot_be_used_raises_nothing(tmp_path: Path, kind: str) -> None:
    place = tmp_path / FOLDER
    (tmp_path / "aside").mkdir()
    if kind == "a link":
        place.symlink_to(tmp_path / "aside")
    elif kind == "a file":
        place.write_text("x")
    files = CommandFiles(tmp_path / ("nowhere" if kind == "missing" else ""), Clock())
    assert files.poll() == []
    files.close()
    assert list((tmp_path / "aside").iterdir()) == []
