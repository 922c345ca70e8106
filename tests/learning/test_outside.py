"""What an environment does to the whole process holds while it runs, and not while dqngui acts, learns and writes."""

from __future__ import annotations

import gc
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch

from dqngui.learning.outside import Outside

_left_on: list[Any] = []


def left_on(context: Any) -> None:
    """Enter a context, as an environment that does not leave it."""
    context.__enter__()
    _left_on.append(context)


Change = Callable[[], Any]
CHANGES: dict[str, tuple[Change, Change]] = {
    "no gradients": (lambda: torch.set_grad_enabled(False), torch.is_grad_enabled),
    "inference mode": (lambda: left_on(torch.inference_mode()), torch.is_inference_mode_enabled),
    "no_grad left on": (lambda: left_on(torch.no_grad()), torch.is_grad_enabled),
    "default type": (lambda: torch.set_default_dtype(torch.float64), torch.get_default_dtype),
    "default device": (lambda: torch.set_default_device("meta"), lambda: torch.empty(0).device),
    "threads": (lambda: torch.set_num_threads(3), torch.get_num_threads),
    "anomaly": (lambda: torch.autograd.set_detect_anomaly(True), torch.is_anomaly_enabled),
    "deterministic": (
        lambda: torch.set_deterministic_debug_mode("error"), torch.are_deterministic_algorithms_enabled
    ),
    "matmul": (lambda: torch.set_float32_matmul_precision("medium"), torch.get_float32_matmul_precision),
    "autocast": (lambda: left_on(torch.autocast("cpu")), lambda: torch.is_autocast_enabled("cpu")),
    "numpy": (lambda: np.seterr(all="raise"), np.geterr),
    "stdin": (lambda: setattr(sys, "stdin", None), lambda: sys.stdin),
    "stdout": (lambda: setattr(sys, "stdout", None), lambda: sys.stdout),
    "stderr": (lambda: setattr(sys, "stderr", None), lambda: sys.stderr),
    "excepthook": (lambda: setattr(sys, "excepthook", None), lambda: sys.excepthook),
    "unraisablehook": (lambda: setattr(sys, "unraisablehook", print), lambda: sys.unraisablehook),
    "threading.excepthook": (lambda: setattr(threading, "excepthook", None), lambda: threading.excepthook),
    "showwarning": (lambda: setattr(warnings, "showwarning", None), lambda: warnings.showwarning),
    "filters": (lambda: warnings.simplefilter("error"), lambda: list(warnings.filters)),
    "recursion": (lambda: sys.setrecursionlimit(700), sys.getrecursionlimit),
    "collector": (lambda: (gc.disable if gc.isenabled() else gc.enable)(), gc.isenabled),
}  # fmt: skip


@pytest.fixture(autouse=True)
def as_before() -> Iterator[Outside]:
    """A context that never saw a change, which undoes what a failed test would leave."""
    outside = Outside(1)
    with outside:
        yield outside


@pytest.mark.parametrize("name", CHANGES)
def test_what_an_environment_changes_holds_only_while_it_runs(name: str) -> None:
    change, look = CHANGES[name]
    outside, ours = Outside(1), look()
    with outside:
        change()
        theirs = look()
    assert theirs != ours and look() == ours
    for _ in range(2):
        with outside:
            assert look() == theirs
        assert look() == ours
    with outside:
        while _left_on:
            _left_on.pop().__exit__(None, None, None)


def test_learning_goes_on_after_an_inference_mode_that_was_left_on_and_off_again() -> None:
    outside, mode = Outside(1), torch.inference_mode()
    with outside:
        mode.__enter__()
    weight = torch.ones(2, requires_grad=True)
    (weight * 2).sum().backward()
    assert weight.grad is not None and weight.grad.tolist() == [2, 2]
    with outside:
        mode.__exit__(None, None, None)
        assert not torch.is_inference_mode_enabled() and torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled() and torch.is_grad_enabled()


def test_our_own_inference_mode_around_a_call_stays() -> None:
    outside = Outside(1)
    with torch.inference_mode():
        with outside:
            pass
        assert torch.is_inference_mode_enabled()
    assert not torch.is_inference_mode_enabled()


def test_what_the_program_sets_between_two_calls_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    outside = Outside(1)
    with outside:
        pass
    monkeypatch.setattr(sys, "excepthook", print)
    with outside:
        pass
    assert sys.excepthook is print


def test_a_job_in_a_thread_leaves_the_settings_of_python_to_the_program() -> None:
    def job() -> None:
        with Outside(1):
            warnings.simplefilter("error")

    before = list(warnings.filters)
    with warnings.catch_warnings(), ThreadPoolExecutor(1) as threads:
        threads.submit(job).result()
        assert list(warnings.filters) != before
