"""Damages a copy of a stored run as a failing disk or an attacker would; a seed always makes the same damage."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import random
import re
import shutil
import socket
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dqngui.runs.labels import LABELS
from dqngui.runs.resume import ARRAYS, META, TENSORS

STORED = Path(__file__).parents[1] / "runs" / "stored"
BASES = ("tmaze-lstm", "find-set")
ARCHIVE = "run.zip"
DEEP = 200_000
VALUES: tuple[Any, ...] = (
    -1, 0, 1, -(2**63), 2**63, 2**70, 10**40, 1e308, -1e308, 1e-320, float("nan"), float("inf"), None, True, "", [], {},
    "x" * 100_000, "<img src=pipe>", "\x1b[2J\x1b]0;x\x07\x9b31m\u202e", "../../outside/file", "/dev/zero", "\0",
    "9" * 30, "0001-01-01T00:00:00+23:59", [[[]]],
    {"$float": "nan"}, {"$float": "x"}, {"type": "Opened"}, "run.seed", "1e5",
)  # fmt: skip
RAW = (
    b"9" * 6000,
    b"[" * DEEP + b"]" * DEEP,
    b'{"a":' * DEEP,
    b"NaN",
    b"1e400",
    b'"\xff\xfe"',
    b"\0" * 300,
    b"-0",
    b'"\\ud800"',
)
LINES = (
    b'{"type":"Opened","step":0,"folder":"OUTSIDE","experiment":{},"device":"cpu","parameters":1}',
    b'{"type":"Finished","step":1,"seconds":1.0,"steps_per_second":1.0,"reason":"completed"}',
    b'{"type":"KnobChanged","step":1,"field":"__class__.__init__","old":1,"new":2}',
    b'{"type":"Forked","step":1,"parent":"../../outside","manual":{"learn.lr":1e308}}',
    b'{"type":"Warned","step":1,"text":{"key":"shown.error","args":{"problem":"\\u001b[2J"}}}',
    b'{"type":"Noted","step":1,"text":' + b'{"key":"shown.error","args":{"problem":' * 300 + b"1" + b"}}" * 300 + b"}",
    b'{"type":"BreakpointsSet","step":1,"points":[{"quantity":"nothing","is_":"nan"}]}',
    b'{"type":"Evaluated","step":1,"returns":[],"lengths":[1],"mean":1e99,"best":true}',
    b"x" * 5_000_000,
    b"",
)
TOML = (
    ".".join(["a"] * 50_000) + " = 1\n", "a = " + "[" * DEEP + "\n", "a = " + "9" * 6000 + "\n", "[[a]]\n" * 1000,
    "[env]\nid = 3\n", 'env = "x"\n', "derived = 1\n", "[about]\nschema = -5\n",
    "[task]\nsteps = 1e308\n", "\0", "\ufeff",
    "[env.kwargs]\na = 0001-01-01T00:00:00\n", "".join(f"k{i} = {i}\n" for i in range(1000)),
)  # fmt: skip


def hostile_run(place: Path, seed: int, outside: Path) -> Path:
    """A damaged run in the folder `place`; its links lead to files in `outside`."""
    rng = random.Random(seed)
    base = rng.choice(BASES)
    run = Path(shutil.copytree(STORED / base, place / f"run-{seed}"))
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        with contextlib.suppress(OSError, RecursionError):  # an earlier damage took the file away, or nested it
            rng.choice(_DAMAGES)(run, rng, outside)
    return run


def _files(run: Path) -> list[Path]:
    return sorted(path for path in run.rglob("*") if _can_be_read(path))


def _any(run: Path, rng: random.Random) -> Path | None:
    """A file of the run, each place of it equally often."""
    return rng.choice(_files(run) or [None])


def _bytes(run: Path, rng: random.Random, outside: Path) -> None:
    """Truncated, with a block of zeros or of noise, emptied, doubled."""
    if (path := _any(run, rng)) is None:
        return
    data = bytearray(path.read_bytes())
    at, size = rng.randrange(len(data) + 1), rng.choice((1, 10, 512, 4096))
    match rng.randrange(6):
        case 0:
            data = data[:at]
        case 1:
            data[at : at + size] = bytes(min(size, len(data) - at))
        case 2:
            data[at : at + size] = rng.randbytes(min(size, len(data) - at))
        case 3:
            data.clear()
        case 4:
            data += bytes(data)
        case 5 if data:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def _can_be_read(path: Path) -> bool:
    """Whether it is a file of the run itself, and not one of those that `_special` makes: huge, or linked to others."""
    try:
        status = path.lstat()
    except OSError:
        return False
    own = stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and not path.parent.is_symlink()
    return own and status.st_size < 2**24


def _special(run: Path, rng: random.Random, outside: Path) -> None:
    """A file or a folder replaced by a link, a pipe, a socket, a device, a folder, or something huge; or added."""
    known = [path for path in run.rglob("*") if not path.is_symlink()]
    added = [
        run / name for name in ("resume.new", "resume.old", "summary.json.new", "events.discarded.jsonl", "lock", "x")
    ]
    path = rng.choice([*known, *added])
    was_folder = path.is_dir()
    if was_folder:
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    if not path.parent.is_dir():
        return
    match rng.randrange(9):
        case 0:
            os.mkfifo(path)
        case 1:
            path.symlink_to(outside / "file")
        case 2:
            path.symlink_to(outside / "run" / path.relative_to(run))
        case 3:
            path.symlink_to(path)
        case 4:
            path.symlink_to("/dev/zero")
        case 5:
            path.mkdir()
        case 6 if len(str(path)) < 100:
            with socket.socket(socket.AF_UNIX) as made:
                made.bind(str(path))
        case 7:
            with open(path, "wb") as file:
                file.truncate(rng.choice((2**20, 2**33, 2**41)))
        case 8 if (outside / "run" / path.relative_to(run)).is_file():
            os.link(outside / "run" / path.relative_to(run), path)
        case _:
            pass  # it is missing


def _changed(data: Any, rng: random.Random) -> Any:
    """Plain data with one part changed, left out or added."""
    places: list[tuple[Any, Any]] = []

    def walk(value: Any) -> None:
        entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, inner in entries:
            places.append((value, key))
            walk(inner)

    walk(data)
    if not places:
        return rng.choice(VALUES)
    holder, key = rng.choice(places)
    match rng.randrange(5):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[rng.choice(("x", "__class__", "folder", "type", ""))] = rng.choice(VALUES)
        case _:
            holder[key] = rng.choice(VALUES)
    return data


def _json(run: Path, rng: random.Random, outside: Path) -> None:
    path = rng.choice([run / "summary.json", run / "resume" / META, run / "resume" / META])
    if not _can_be_read(path):
        return
    try:
        data = _changed(json.loads(path.read_bytes()), rng)
    except ValueError:
        return
    text = json.dumps(data).encode()
    if rng.random() < 0.3:
        raw = rng.choice(RAW)
        text = re.sub(rb":\s*[\w.\"-]+", lambda found: b": " + raw, text, count=1)
    path.write_bytes(text)


def _log(run: Path, rng: random.Random, outside: Path) -> None:
    path = run / "events.jsonl"
    if not _can_be_read(path):
        return
    lines = path.read_bytes().splitlines() or [b""]
    at = rng.randrange(len(lines))
    if rng.random() < 0.5:
        lines.insert(at, rng.choice(LINES).replace(b"OUTSIDE", str(outside / "run").encode()))
    else:
        try:
            lines[at] = json.dumps(_changed(json.loads(lines[at]), rng)).encode()
        except ValueError:
            lines[at] = rng.choice(RAW)
    path.write_bytes(b"\n".join(lines) + b"\n" * rng.randrange(3))


def _toml(run: Path, rng: random.Random, outside: Path) -> None:
    path = run / "experiment.toml"
    if not _can_be_read(path):
        return
    text = path.read_text("utf-8", "replace")
    match rng.randrange(4):
        case 0:
            text = rng.choice(("", rng.choice(TOML), text + rng.choice(TOML), rng.choice(TOML) + text))
        case 1:
            lines = text.splitlines()
            at = rng.randrange(len(lines) or 1)
            text = "\n".join(lines[:at] if rng.random() < 0.5 else lines[:at] + lines[at + 1 :])
        case 2:
            wrong = rng.choice(
                ('"x"', "-1", "1e308", "nan", "inf", "true", "[]", "{}", "9" * 30, "[[1]]", '"\\u001b[2J"')
            )
            text = re.sub(r"= .+", lambda found: f"= {wrong}", text, count=rng.choice((1, 1, 2, 5)))
        case 3:
            settings = list(re.finditer(r"^\w+ = (.+)$", text, re.M))
            if settings:
                found = rng.choice(settings)
                wrong = rng.choice(('"x"', "-1", "0", "1e308", "nan", "true", "[]", "{}", "2.5", '""', "9" * 30))
                text = text[: found.start(1)] + wrong + text[found.end(1) :]
    path.write_text(text, "utf-8")


def _arrays(run: Path, rng: random.Random, outside: Path) -> None:
    path = run / "resume" / ARRAYS
    if not _can_be_read(path):
        return
    try:
        with np.load(path) as archive:
            arrays = dict(archive)
    except Exception:
        return
    name = rng.choice(sorted(arrays))
    array = arrays[name]
    compressed = False
    match rng.randrange(10):
        case 0:
            del arrays[name]
        case 1:
            arrays[name] = array.reshape(-1)[:1]  # would be broadcast
        case 2:
            arrays[name] = array[None]
        case 3:
            arrays[name] = array.astype(rng.choice(("f8", "i1", "c16", "?", "U5", "M8[s]")))
        case 4 if array.size:
            arrays[name] = np.full(array.shape, rng.choice((-1, 0, 1, 127))).astype(array.dtype)
        case 5 if array.dtype.kind == "f":
            arrays[name] = np.full_like(array, rng.choice((np.nan, np.inf, -np.inf, 1e30)))
        case 6 if array.dtype.kind in "iu" and array.size:
            flat = array.copy().reshape(-1)
            flat[rng.randrange(len(flat))] = (
                np.iinfo(array.dtype).max if rng.random() < 0.5 else np.iinfo(array.dtype).min
            )
            arrays[name] = flat.reshape(array.shape)
        case 7:
            arrays[rng.choice(("x", "replay/x", "actor/observation.x", "actor/state.9"))] = np.zeros(3)
        case 8:
            arrays[name], compressed = np.zeros(20_000_000, np.uint8), True
        case 9:
            arrays[name] = np.concatenate([array.reshape(-1)] * 2) if array.size else np.zeros(7)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED) as archive:
        for key, value in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, value)
            data = buffer.getvalue()
            if key == name and rng.random() < 0.1:
                data = re.sub(rb"'shape': \([^)]*\)", b"'shape': (99999999999, 9)", data)
            archive.writestr(f"{key}.npy", data)


def _tensors(run: Path, rng: random.Random, outside: Path) -> None:
    path = rng.choice([run / "resume" / TENSORS, *(run / "checkpoints").glob("*.pt")])
    if not _can_be_read(path):
        return
    try:
        data = torch.load(path, weights_only=True)
    except Exception:
        return
    if not isinstance(data, dict) or not data:
        return  # damaged before
    tensors = data["weights"] if isinstance(data.get("weights"), dict) and data["weights"] else data
    name = rng.choice(sorted(tensors))
    tensor = tensors[name]
    match rng.randrange(9):
        case 0:
            del tensors[name]
        case 1:
            tensors[name] = tensor.flatten()[:1]
        case 2 if tensor.is_floating_point():
            tensors[name] = tensor * float("nan")
        case 3:
            tensors[name] = torch.zeros(1).expand(10**9)
        case 4:
            tensors[name] = tensor.to(rng.choice((torch.float64, torch.int8, torch.complex64, torch.bfloat16)))
        case 5:
            tensors[rng.choice(("x", "learner/x"))] = torch.zeros(5)
        case 6:
            tensors[name] = rng.choice((1, "x", None, [tensor], {"a": tensor}))
        case 7:
            data = rng.choice(([tensor], tensor, {"step": -1, "weights": {}}, {"step": 10**40, "weights": tensors}))
        case 8:
            path.write_bytes(pickle.dumps(Canary(str(outside / "code-ran"))))
            return
    torch.save(data, path)


class Canary:
    """An object whose unpickling makes a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (self.path,)


def _names(run: Path, rng: random.Random, outside: Path) -> None:
    """Other names of checkpoints and files in the folder."""
    folder = run / "checkpoints"
    if not folder.is_dir() or folder.is_symlink():
        return
    name = rng.choice(
        ("-1.pt", "9" * 200 + ".pt", "٣.pt", "1e3.pt", "\x1b[2J.pt", "000.pt", "²³.pt", "best.pt", "7" * 30 + ".pt")
    )
    for path in [path for path in folder.glob("*.pt") if _can_be_read(path) and path.name != name][:1]:
        (folder / name).unlink(missing_ok=True)  # it may be a link
        shutil.copy(path, folder / name)


def _labels(run: Path, rng: random.Random, outside: Path) -> None:
    """Labels of a run, with something wrong in them."""
    path = run / LABELS
    if os.path.lexists(path):
        return
    data = _changed({"title": "A", "star": True, "tags": ["a", "b"], "note": "one\ntwo"}, rng)
    path.write_bytes(rng.choice(RAW) if rng.random() < 0.2 else json.dumps(data).encode())


def _zip(run: Path, rng: random.Random, outside: Path) -> None:
    """A zip of the run as it is, with entries that are named, sized or packed wrongly, or damaged as a file."""
    path = run.parent / ARCHIVE
    path.unlink(missing_ok=True)
    names = (
        "../../outside/file",
        "/outside",
        "a/../../b",
        "x.py",
        "run/resume/../../../b",
        "\x1b[2J",
        "run\\b",
        "n" * 300,
    )
    with zipfile.ZipFile(path, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as packed:
        for file in _files(run):
            packed.write(file, f"run/{file.relative_to(run)}")
        entry = zipfile.ZipInfo(f"run/{rng.choice(('experiment.toml', 'checkpoints/best.pt', 'link'))}")
        match rng.randrange(6):
            case 0:
                packed.writestr(rng.choice(names), b"x")
            case 1:
                entry.external_attr = rng.choice((stat.S_IFLNK, stat.S_IFIFO, stat.S_IFSOCK)) << 16
                packed.writestr(entry, str(outside / "file"))
            case 2:
                packed.writestr("run/events.discarded.jsonl", bytes(30_000_000))
            case 3:
                packed.comment = rng.randbytes(60_000)
                packed.writestr(entry, rng.choice(RAW))
            case _:
                pass
    if rng.random() < 0.5:
        data = bytearray(path.read_bytes())
        at = rng.randrange(len(data)) if rng.random() < 0.5 else len(data) - rng.randrange(1, min(len(data), 600))
        data[at : at + rng.choice((1, 4))] = rng.randbytes(rng.choice((0, 1, 4)))
        path.write_bytes(data)


_DAMAGES = (_bytes, _special, _special, _json, _json, _log, _toml, _arrays, _arrays, _tensors, _names, _labels, _zip)
