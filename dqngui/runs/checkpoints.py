"""Weights on disk: `checkpoints/STEP.pt`, thinned to at most 50, and `checkpoints/best.pt`.

torch is imported when weights are saved or loaded, not before: the window lists runs without it.
"""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from dqngui.bounded import MEGABYTE, exists, most_in_memory, open_regular, own_folder
from dqngui.config import ConfigError
from dqngui.runs.arrays_file import check_entries
from dqngui.runs.files import link_file, named, replace_file

if TYPE_CHECKING:
    import torch

FOLDER, BEST = "checkpoints", "best.pt"
MOST = 50
MOST_PICKLE = 64 * MEGABYTE  # of the part of a file of tensors that says what is in it
_STEP = re.compile("0|[1-9][0-9]{0,15}")


def checkpoints(folder: Path) -> list[int]:
    """Steps of the stored checkpoints, rising; the best one is among them until it is thinned out.

    Raises ConfigError if their folder is a link or cannot be read.
    """
    try:
        names = [path.stem for path in (folder / FOLDER).glob("*.pt")] if own_folder(folder / FOLDER) else []
    except OSError as error:
        raise ConfigError("file.unreadable", path=folder / FOLDER, problem=error.strerror) from None
    return sorted(int(name) for name in names if _STEP.fullmatch(name))


def save_weights(folder: Path, step: int, weights: Mapping[str, torch.Tensor], *, best: bool) -> None:
    """Write weights as the checkpoint of this step, and as the best ones too (`best`). Raises OSError."""
    data = tensor_bytes({"step": step, "weights": {name: to_cpu(tensor) for name, tensor in weights.items()}})
    try:
        (folder / FOLDER).mkdir(exist_ok=True)
        own_folder(folder / FOLDER)
    except OSError as error:
        raise named(error, folder / FOLDER) from error
    replace_file(folder / FOLDER / f"{step}.pt", data)
    if best:
        link_file(folder / FOLDER / f"{step}.pt", folder / FOLDER / BEST)
    _thin(folder)


def load_weights(folder: Path, which: Literal["best", "last"] | int = "best") -> tuple[int, dict[str, torch.Tensor]]:
    """Step and weights (on the CPU) of a checkpoint.

    `best` falls back to the last checkpoint of a run that has not been evaluated. Raises ConfigError.
    """
    steps = checkpoints(folder)
    best = folder / FOLDER / BEST
    if which == "best" and exists(best):
        path = best
    elif which in ("best", "last"):
        if not steps and not exists(best):
            raise ConfigError("checkpoint.none", folder=folder)
        path = folder / FOLDER / f"{steps[-1]}.pt" if steps else best
    else:
        if which not in steps:
            raise ConfigError("checkpoint.no_such", folder=folder, step=which, known=steps)
        path = folder / FOLDER / f"{which}.pt"
    data = load_tensors(path)
    step, weights = data.get("step"), data.get("weights")
    if not isinstance(step, int) or not isinstance(weights, dict) or not all(_is_tensor(v) for v in weights.values()):
        raise ConfigError("checkpoint.not_one", path=path)
    return step, weights


def drop_after(folder: Path, step: int) -> None:
    """Remove the checkpoints made after this step, because the run goes back to it."""
    for later in checkpoints(folder):
        if later > step:
            (folder / FOLDER / f"{later}.pt").unlink()


def _thin(folder: Path) -> None:
    """Drop inner checkpoints until at most 50 are left, first those whose removal leaves the smallest gap."""
    steps = checkpoints(folder)
    while len(steps) > MOST:
        gaps = [after - before for before, after in zip(steps, steps[2:], strict=False)]
        step = steps.pop(gaps.index(min(gaps)) + 1)
        os.unlink(folder / FOLDER / f"{step}.pt")


def tensor_bytes(data: Mapping[str, Any]) -> bytes:
    """`torch.save` in memory: on a full disk torch's own writer aborts less cleanly than a plain write."""
    import torch

    buffer = io.BytesIO()
    torch.save(dict(data), buffer)
    return buffer.getvalue()


def load_tensors(path: Path) -> dict[str, Any]:
    """A dictionary of tensors and plain numbers, on the CPU; never runs code. Raises ConfigError."""
    import pickle

    import torch

    try:
        with open_regular(path, most_in_memory()) as file:
            if not zipfile.is_zipfile(file):
                # A bare pickle too: torch would read its old format with a restricted unpickler; we do not try.
                raise ConfigError("file.not_tensors", path=path)
            file.seek(0)
            _check_archive(file)
            file.seek(0)
            data = torch.load(file, map_location="cpu", weights_only=True)
    except ConfigError:
        raise
    except pickle.UnpicklingError:
        raise ConfigError("file.runs_code", path=path) from None
    except OSError as error:
        raise ConfigError("file.unreadable", path=path, problem=error.strerror) from None
    except Exception:  # a stranger's file makes the libraries below raise nearly everything
        raise ConfigError("file.damaged", path=path) from None
    if not isinstance(data, dict):
        raise ConfigError("file.not_dictionary", path=path)
    for value in data.values():
        for tensor in value.values() if isinstance(value, dict) else (value,):
            if isinstance(tensor, torch.Tensor) and not _is_plain(tensor):
                raise ConfigError("file.damaged", path=path)
    return data


def _check_archive(file: BinaryIO) -> None:
    """Raises ValueError for a file of tensors that would become larger when it is read."""
    size = file.seek(0, os.SEEK_END)
    with zipfile.ZipFile(file) as archive:
        check_entries(archive, size)
        if any(entry.filename.endswith(".pkl") and entry.file_size > MOST_PICKLE for entry in archive.infolist()):
            raise ValueError("too long a description")


def _is_plain(tensor: torch.Tensor) -> bool:
    """Whether a tensor's numbers are all there, on the CPU: not a few that are repeated, and not none at all."""
    import torch

    plain = tensor.device.type == "cpu" and tensor.layout == torch.strided and not tensor.is_quantized
    return plain and tensor.nbytes <= tensor.untyped_storage().nbytes()


def to_cpu(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor on the CPU; a view is copied, since torch.save would write all that it looks into."""
    tensor = tensor.detach().cpu()
    return tensor.clone() if tensor.untyped_storage().nbytes() != tensor.nbytes else tensor


def _is_tensor(value: Any) -> bool:
    import torch

    return isinstance(value, torch.Tensor)
