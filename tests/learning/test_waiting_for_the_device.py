"""An update never waits for its device, except once to read its statistics.

There need not be a GPU: the operations are watched on the CPU, after the shortcuts that only a CPU takes are closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from dqngui import catalog
from dqngui.jobs.training import Training
from dqngui.learning import flat as flat_module
from dqngui.learning.batches import OneStepBatch
from dqngui.learning.off_policy import OffPolicy
from dqngui.learning.on_policy import OnPolicy
from dqngui.settings import experiment_from

WAITING = ("_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal", "unique", "repeat_interleave")


class Watch(TorchDispatchMode):
    """Notes the operations whose result the CPU must wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.__name__.split(".")[0]
        indices = args[1] if name in ("index", "index_put", "index_put_", "_index_put_impl_") else ()
        by_mask = any(index is not None and index.dtype in (torch.bool, torch.uint8) for index in indices)
        if name in WAITING or by_mask:
            self.found.append(name)
        return func(*args, **(kwargs or {}))


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[list[str], list[str]]]:
    """The operations that wait, and the readings of whole tensors, while this context lasts."""
    read: list[str] = []
    with monkeypatch.context() as patch:
        for name in ("tolist", "cpu"):
            original = getattr(torch.Tensor, name)

            def noted(self: torch.Tensor, *args: Any, _name: str = name, _original: Any = original, **kw: Any) -> Any:
                read.append(_name)
                return _original(self, *args, **kw)

            patch.setattr(torch.Tensor, name, noted)
        with Watch() as watch:
            yield watch.found, read


def training_of(net: dict[str, Any], learn: dict[str, Any]) -> Training:
    data = {
        "env": {"id": "CartPole-v1", "num_envs": 4},
        "net": {"width": 16, "tokens": "one", "attention": "none", **net},
        "learn": {
            "window": 6, "burn_in": 4, "n_step": 2, "batch_size": 4, "warmup": 200, "replay_capacity": 1000, **learn,
        },
        "run": {"device": "cpu"},
    }  # fmt: skip
    training = Training(experiment_from(data))
    training.begin()
    while training.counters.step < 200:
        training.act()
    return training


def close_shortcuts(training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    training.learner.flat.reads_norm = False
    monkeypatch.setattr(flat_module, "FUSED_ADAM", None)


NETS = {
    **{memory: {"memory": memory} for memory in catalog.MEMORIES},
    **{attention: {"memory": "gru", "attention": attention, "tokens": "feature"} for attention in catalog.ATTENTIONS},
    "noisy": {"memory": "gru", "noisy": True, "dropout": 0.2, "predictor": True},
    "categorical": {"memory": "lstm", "values": "categorical", "v_min": -1.0, "v_max": 1.0},
    "quantile": {"memory": "transformer", "values": "quantile", "head": "dueling"},
    "single steps": {"memory": "none"},
}


@pytest.mark.parametrize("prioritized", [False, True])
@pytest.mark.parametrize("net", NETS.values(), ids=NETS.keys())
def test_an_update_waits_once(net: dict[str, Any], prioritized: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    single = net is NETS["single steps"]
    learn = {"prioritized": prioritized, "augment_noise": 0.1, "weight_decay": 0.1, "rescale": True}
    training = training_of(net, {**learn, **({"window": 1, "burn_in": 0} if single else {})})
    algorithm, experiment = training.algorithm, training.experiment
    assert isinstance(algorithm, OffPolicy)
    batch = algorithm.store.sample(8, algorithm.learner.rule(experiment), 0.9, 0.5)
    assert batch is not None
    close_shortcuts(training, monkeypatch)
    with watched(monkeypatch) as (waits, read):
        if isinstance(batch, OneStepBatch):
            algorithm.learner.update_one_steps(batch, 2, experiment)
        else:
            algorithm.learner.update(batch, experiment)
    training.close()
    assert isinstance(batch, OneStepBatch) == single
    assert waits == []
    assert read == ["cpu" if prioritized else "tolist"]


@pytest.mark.parametrize("memory", list(catalog.MEMORIES))
def test_an_update_of_a_policy_waits_once(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    training = training_of({"memory": memory}, {"algorithm": "ppo", "rollout": 64})
    algorithm, experiment = training.algorithm, training.experiment
    assert isinstance(algorithm, OnPolicy)
    windows = algorithm.store.windows(
        gamma=0.9, trace=0.9, unit=algorithm.learner.network.reward_unit, last_value=np.zeros(4, np.float32)
    )
    batch = windows.minibatch(np.arange(len(windows)))
    close_shortcuts(training, monkeypatch)
    with watched(monkeypatch) as (waits, read):
        algorithm.learner.update(batch, experiment)
    training.close()
    assert waits == []
    assert read == ["tolist"]


def test_the_watch_sees_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.arange(3.0)
    with watched(monkeypatch) as (waits, read):
        x[x > 1].sum()
        float(x.sum())
        x.max().item()
        if (x > 1).any():
            x.tolist()
    assert len([name for name in waits if name == "_local_scalar_dense" or name == "is_nonzero"]) >= 3
    assert {"index", "nonzero"} & set(waits)
    assert read == ["tolist"]
