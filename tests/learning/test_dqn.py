"""The learner: how its batches reach the device."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from dqngui.learning.devices import to_device


@pytest.mark.parametrize(("device", "waits"), [("cpu", True), ("mps", True), ("cuda:0", False)])
def test_only_cuda_copies_arrays_that_may_be_freed_without_waiting(
    device: str, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    copied = SimpleNamespace(to=lambda _, non_blocking: asked.append(non_blocking))
    monkeypatch.setattr(torch, "from_numpy", lambda _: copied)
    to_device(np.zeros(3), torch.device(device))
    assert asked == [not waits]
