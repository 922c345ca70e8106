"""A run as a zip: it comes back as it was, and a hostile zip leaves nothing behind."""

from __future__ import annotations

import io
import os
import random
import stat
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dqngui import presets
from dqngui.config import ConfigError, Experiment
from dqngui.runs import archive
from dqngui.runs.archive import export_run, import_run
from dqngui.runs.folder import EVENTS, EXPERIMENT, SUMMARY, claim, create, list_runs, versions
from dqngui.runs.labels import Labels, write_labels

TOML = presets.to_toml(Experiment(title="a"), versions()).encode()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = create(tmp_path / "from", Experiment(title="given away"))
    (folder / EVENTS).write_bytes(b'{"type":"EpisodeEnded","step":10,"ret":1.0,"length":10}\n')
    for name in ("checkpoints/100.pt", "checkpoints/best.pt", "resume/meta.json", "resume/tensors.pt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(name.encode())
    write_labels(folder, Labels(title="renamed", tags=("paper",)))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_comes_back_as_it_was(run: Path, tmp_path: Path) -> None:
    file, runs = tmp_path / "run.zip", tmp_path / "to"
    before = contents(run)
    assert export_run(run, file)
    taken = import_run(file, runs)
    assert taken == runs / run.name
    assert contents(taken) == before
    assert [each.title for each in list_runs(runs)] == ["given away"]
    assert import_run(file, runs).name == f"{run.name}-2"
    assert sorted(path.name for path in runs.iterdir()) == [run.name, f"{run.name}-2"]
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


def test_only_the_files_of_a_run_are_given_away(run: Path, tmp_path: Path) -> None:
    (run / "secret.py").write_text("print(1)")
    (run / "checkpoints" / "notes.txt").write_text("mine")
    (run / "live.jsonl").write_text("{}")
    (run / "commands").mkdir()
    (run / "commands" / "1.json").write_text("{}")
    (tmp_path / "elsewhere").write_text("a secret")
    (run / "events.discarded.jsonl").symlink_to(tmp_path / "elsewhere")
    export_run(run, tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as packed:
        names = {name.partition("/")[2] for name in packed.namelist()}
    assert names == {
        EXPERIMENT, EVENTS, SUMMARY, "labels.json", "checkpoints/100.pt", "checkpoints/best.pt", "resume/meta.json",
        "resume/tensors.pt",
    }  # fmt: skip


def test_of_a_run_in_training_the_changing_state_is_left_out(run: Path, tmp_path: Path) -> None:
    with claim(run):
        assert not export_run(run, tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as packed:
        assert not [name for name in packed.namelist() if "resume" in name]


def test_an_export_writes_over_nothing_unless_asked(run: Path, tmp_path: Path) -> None:
    file = tmp_path / "run.zip"
    file.write_text("mine")
    with pytest.raises(ConfigError, match="exists already"):
        export_run(run, file)
    assert file.read_text() == "mine"
    export_run(run, file, replace=True)
    assert zipfile.is_zipfile(file)
    with pytest.raises(ConfigError, match="cannot write"):
        export_run(run, tmp_path / "no" / "folder" / "run.zip")
    with pytest.raises(ConfigError, match="not a run's folder"):
        export_run(tmp_path, tmp_path / "other.zip")


# -- strangers' zips --------------------------------------------------------------------------------


def packed(*entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of a run with further entries."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as file:
        file.writestr(f"run/{EXPERIMENT}", TOML)
        for name, content in entries:
            file.writestr(name, content)
    return data.getvalue()


def special(mode: int, name: str = "run/events.jsonl") -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3
    entry.external_attr = (mode | 0o777) << 16
    return entry


def encrypted() -> bytes:
    data = bytearray(packed(("run/events.jsonl", b"{}")))
    for signature, flag in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.rfind(signature)
        data[at + flag] |= 1
    return bytes(data)


def longer_than_it_says() -> bytes:
    """The list says 2 bytes of a file whose packed data give a million."""
    data = bytearray(packed(("run/events.jsonl", b"0" * 1_000_000)))
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 2)
    return bytes(data)


def shorter_than_it_says() -> bytes:
    data = bytearray(packed(("run/events.jsonl", b"01")))
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 200)
    return bytes(data)


def huge_list() -> bytes:
    """The end of the zip says that its list of files has gigabytes."""
    data = bytearray(packed())
    at = data.rfind(b"PK\x05\x06")
    return bytes(data[:at]) + b"\0" * 3_000_000 + bytes(data[at : at + 12]) + struct.pack("<II", 2_900_000, 0) + b"\0\0"


def changed_byte() -> bytes:
    data = bytearray(packed(("run/events.jsonl", os.urandom(200)), method=zipfile.ZIP_STORED))
    data[data.find(b"events.jsonl") + 40] ^= 0xFF
    return bytes(data)


def bomb() -> bytes:
    return packed(("run/events.jsonl", b"\0" * (300 * 2**20)))


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "no zip": (lambda: b"hello", "no zip file"),
    "empty": (lambda: b"", "no zip file"),
    "cut": (lambda: packed()[:-30], "no zip file"),
    "an absolute path": (lambda: packed(("/etc/cron.d/x", b"x")), "holds no such file"),
    "a path upwards": (lambda: packed(("run/../../events.jsonl", b"x")), "holds no such file"),
    "a path upwards from the top": (lambda: packed(("../events.jsonl", b"x")), "holds no such file"),
    "a path upwards in checkpoints": (lambda: packed(("run/checkpoints/../../x.pt", b"x")), "holds no such file"),
    "a drive": (lambda: packed(("C:\\events.jsonl", b"x")), "holds no such file"),
    "backslashes": (lambda: packed(("run\\..\\..\\events.jsonl", b"x")), "holds no such file"),
    "a null in a name": (lambda: packed(("run/events.jsonlX.py", b"x")).replace(b"lX.py", b"l\0.py"), "no such file"),
    "a program": (lambda: packed(("run/setup.py", b"x")), "holds no such file"),
    "a hidden file": (lambda: packed(("run/.bashrc", b"x")), "holds no such file"),
    "a file in a folder of its own": (lambda: packed(("run/code/events.jsonl", b"x")), "holds no such file"),
    "another folder": (lambda: packed(("other/events.jsonl", b"x")), "holds no such file"),
    "a queue": (lambda: packed(("run/queue.sqlite", b"x")), "holds no such file"),
    "a link": (lambda: packed((special(stat.S_IFLNK), b"/etc/passwd")), "a link or a special file"),
    "a linked folder": (
        lambda: packed((special(stat.S_IFLNK, "run/checkpoints"), b"/etc")),
        "a link or a special file",
    ),
    "a pipe": (lambda: packed((special(stat.S_IFIFO), b"")), "a link or a special file"),
    "a device": (lambda: packed((special(stat.S_IFCHR), b"")), "a link or a special file"),
    "a folder with contents": (lambda: packed(("run/checkpoints/", b"x")), "holds no such file"),
    "a name twice": (lambda: packed(("run/events.jsonl", b"1"), ("run/events.jsonl", b"2")), "there twice"),
    "another method": (lambda: packed(("run/events.jsonl", b"x"), method=zipfile.ZIP_LZMA), "other than deflate"),
    "many files": (lambda: packed(*((f"run/checkpoints/{n}.pt", b"") for n in range(900))), "at most 800"),
    "large labels": (lambda: packed(("run/labels.json", b" " * 100_000)), "more than 0 MB"),
    "a bomb": (bomb, "at most 256 MB"),
    "no experiment": (lambda: packed().replace(b"experiment.toml", b"experiment.tomx"), "holds no such file"),
    "only labels": (lambda: _zip({"run/labels.json": b"{}"}), "holds no run"),
    "an experiment that is none": (lambda: _zip({f"run/{EXPERIMENT}": b"[[[["}), "experiment.toml"),
    "encrypted": (encrypted, "encrypted"),
    "longer than it says": (longer_than_it_says, "damaged"),
    "shorter than it says": (shorter_than_it_says, "damaged"),
    "a changed byte": (changed_byte, "damaged"),
    "a huge list": (huge_list, "damaged"),
}


def _zip(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
    return data.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_zip_is_refused_in_a_sentence_and_leaves_nothing(kind: str, tmp_path: Path) -> None:
    make, sentence = HOSTILE[kind]
    runs, file = tmp_path / "place" / "runs", tmp_path / "stranger.zip"
    file.write_bytes(make())
    with pytest.raises(ConfigError) as error:
        import_run(file, runs)
    assert sentence in str(error.value)
    assert len(str(error.value).splitlines()) == 1
    assert list((tmp_path / "place").rglob("*")) == [runs]


def test_a_zip_that_is_a_link_loop_a_folder_or_missing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop.zip").symlink_to(tmp_path / "loop.zip")
    for name in ("loop.zip", "missing.zip", ".", "a\0b"):
        with pytest.raises(ConfigError):
            import_run(tmp_path / name, tmp_path / "runs")


def test_a_zip_with_changed_bytes_is_refused_or_gives_a_run(run: Path, tmp_path: Path) -> None:
    chance, runs = random.Random(0), tmp_path / "to"
    export_run(run, tmp_path / "run.zip")
    whole = (tmp_path / "run.zip").read_bytes()
    refused = 0
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 1, 4, 30))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.2:
            del data[chance.randrange(len(data)) :]
        (tmp_path / "changed.zip").write_bytes(data)
        try:
            import_run(tmp_path / "changed.zip", runs)
        except ConfigError:
            refused += 1
    assert refused > 100
    left = [path for path in runs.rglob("*") if path.is_symlink() or path.name.startswith(".import")]
    assert left == []
    assert {path.parent for path in runs.rglob("experiment.toml")} == set(runs.iterdir())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.zip")
    with pytest.raises(ConfigError, match="not a regular file"):
        import_run(tmp_path / "pipe.zip", tmp_path / "runs")


@pytest.mark.parametrize(
    ("top", "name"),
    [
        ("..a", "a"), ("con", "run-con"), ("NUL.txt", "run-NUL.txt"), ("ünï ço$de", "n-o-de"), ("x" * 300, "x" * 100),
        (".hidden", "hidden"), ("...", "imported"),
    ],
)  # fmt: skip
def test_the_folder_gets_a_harmless_name(top: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(_zip({f"{top}/{EXPERIMENT}": TOML}))
    assert import_run(tmp_path / "a.zip", tmp_path / "runs").name == name


def test_files_without_a_folder_and_those_that_a_system_adds_do_no_harm(tmp_path: Path) -> None:
    files = {EXPERIMENT: TOML, "__MACOSX/._experiment.toml": b"x", ".DS_Store": b"x", "live.jsonl": b"x"}
    (tmp_path / "flat.zip").write_bytes(_zip(files))
    taken = import_run(tmp_path / "flat.zip", tmp_path / "runs")
    assert [path.name for path in taken.iterdir()] == [EXPERIMENT]


def test_an_imported_run_is_never_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dqngui.runs.folder import trusted_experiment
    from dqngui.runs.trust import Untrusted, trust

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    runs = tmp_path / "runs"
    code = presets.to_toml(Experiment(), versions()).replace('id = "CartPole-v1"', 'id = "some_code:Task-v0"')
    (tmp_path / "code.zip").write_bytes(_zip({f"run/{EXPERIMENT}": code.encode()}))
    first = import_run(tmp_path / "code.zip", runs)
    with pytest.raises(Untrusted):
        trusted_experiment(first)
    trust(first)
    os.rename(first, tmp_path / "moved")
    with pytest.raises(Untrusted):  # the same settings in the same place: not the run that was trusted
        trusted_experiment(import_run(tmp_path / "code.zip", runs))


def test_what_a_killed_import_left_is_removed_later(run: Path, tmp_path: Path) -> None:
    runs = tmp_path / "to"
    left, fresh = runs / ".import-old", runs / ".import-new"
    for folder in (left, fresh):
        folder.mkdir(parents=True)
    os.utime(left, (time.time() - 2 * archive.OLD_S,) * 2)
    export_run(run, tmp_path / "run.zip")
    import_run(tmp_path / "run.zip", runs)
    assert not left.exists()
    assert fresh.exists()
    assert len(list_runs(runs)) == 1
