"""The devices on which a run can compute."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from dqngui.config import ConfigError


def available_devices() -> list[str]:
    """Names that `run.device` accepts on this machine, `auto` first."""
    names = ["auto", "cpu"]
    names += [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    return names + (["mps"] if torch.backends.mps.is_available() else [])


def resolve_device(name: str) -> torch.device:
    """The torch device of a setting. Raises ConfigError when absent.

    auto is the first GPU, else the CPU: so it was when earlier versions wrote it into a run. New runs on a machine with
    a GPU replace it by the faster device (`device_choice`).
    """
    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    wanted = "cuda:0" if name == "cuda" else name
    if wanted not in available_devices():
        raise ConfigError("setting.no_device", name=name, known=available_devices())
    return torch.device(wanted)


def to_device(array: NDArray[Any], device: torch.device) -> Tensor:
    """The array as a tensor on the device; only for CUDA the copy may still be under way at return."""
    # On MPS such a copy may read the array after it was freed (pytorch#189690).
    return torch.from_numpy(array).to(device, non_blocking=device.type == "cuda")
