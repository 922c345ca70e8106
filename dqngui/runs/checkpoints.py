"""Weights on disk: `checkpoints/STEP.pt`, thinned to at most 50, and `checkpoints/best.pt`.

torch is imported when weights are saved or loaded, not before: the window lists runs without it.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dqngui.config import ConfigError
from dqngui.runs.files import link_file, named, replace_file

if TYPE_CHECKING:
    import torch

FOLDER, BEST = "checkpoints", "best.pt"
MOST = 50


def checkpoints(folder: Path) -> list[int]:
    """Steps of the stored checkpoints, rising; the best one is among them until it is thinned out."""
    names = (path.stem for path in (folder / FOLDER).glob("*.pt"))
    return sorted(int(name) for name in names if name.isdecimal())


def save_weights(folder: Path, step: int, weights: Mapping[str, torch.Tensor], *, best: bool) -> None:
    """Write weights as the checkpoint of this step, and as the best ones too (`best`). Raises OSError."""
    data = tensor_bytes({"step": step, "weights": {name: to_cpu(tensor) for name, tensor in weights.items()}})
    try:
        (folder / FOLDER).mkdir(exist_ok=True)
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
    if which == "best" and best.exists():
        path = best
    elif which in ("best", "last"):
        if not steps and not best.exists():
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

    if path.exists() and not zipfile.is_zipfile(path):
        # A bare pickle too: torch would read its old format with a restricted unpickler; we do not try.
        raise ConfigError("file.not_tensors", path=path)
    try:
        data = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise ConfigError("file.runs_code", path=path) from None
    except OSError as error:
        raise ConfigError("file.unreadable", path=path, problem=error.strerror) from None
    except (RuntimeError, EOFError, ValueError, KeyError, AssertionError):
        raise ConfigError("file.damaged", path=path) from None
    if not isinstance(data, dict):
        raise ConfigError("file.not_dictionary", path=path)
    return data


def to_cpu(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor on the CPU; a view is copied, since torch.save would write all that it looks into."""
    tensor = tensor.detach().cpu()
    return tensor.clone() if tensor.untyped_storage().nbytes() != tensor.nbytes else tensor


def _is_tensor(value: Any) -> bool:
    import torch

    return isinstance(value, torch.Tensor)
