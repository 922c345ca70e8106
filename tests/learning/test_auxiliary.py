"""Auxiliary losses: predicting the next observation, pretraining without rewards, memories with their own loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from dqngui import catalog
from dqngui.catalog.memories import RecurrentOptions
from dqngui.config import Experiment
from dqngui.envs.spaces import ObservationPart, Spaces
from dqngui.learning.auxiliary import RunningStandardizer
from dqngui.learning.batches import Batch
from dqngui.learning.dqn import DQN
from dqngui.learning.replay import Replay
from dqngui.nets.memory.contract import Errors, State
from dqngui.nets.memory.gru import GRU
from dqngui.nets.record import Record
from dqngui.settings import as_data, experiment_from

SPACES = Spaces(
    parts=(
        ObservationPart("x", "vector", (2,), "float32"),
        ObservationPart("place", "discrete", (1,), "int32", sizes=(4,)),
    ),
    actions=2,
)


class Forecasting(GRU):
    """A GRU whose forecasts of six numbers are wrong by the step number of its window; the series itself is 0 or 8."""

    sees_observation = True
    has_own_loss = True

    def __init__(self, *, width: int, options: RecurrentOptions, observation: int) -> None:
        super().__init__(width=width, options=options)
        self.features = observation

    def forward(  # type: ignore[override]
        self, x: Tensor, state: State | None, record: Record | None = None, errors: Errors | None = None
    ) -> tuple[Tensor, State]:
        x = x[..., : self.width]
        if errors is not None:
            T, B, F = *x.shape[:2], self.features
            errors["error"] = torch.arange(T, dtype=x.dtype).view(T, 1, 1).expand(T, B, F)
            errors["series"] = 8 * (torch.arange(B) % 2).view(1, B, 1).expand(T, B, F).to(x.dtype)
            errors["known"] = torch.ones(T, B, dtype=torch.bool)
        return super().forward(x, state, record)


def made(net: dict[str, Any], learn: dict[str, Any]) -> tuple[DQN, Experiment]:
    net = {"attention": "none", "memory": "none", "width": 16, "previous_reward": False, "standardise": False, **net}
    learn = {"window": 4, "burn_in": 0, "n_step": 3, "replay_capacity": 4096, "reward_scale": 0.1, **learn}
    experiment = experiment_from({"net": net, "learn": learn})
    return DQN(SPACES, experiment, torch.device("cpu"), torch.Generator().manual_seed(3)), experiment


def walk(learner: DQN, steps: int = 200) -> Replay:
    """A world that the action moves: x₀ grows by 2a − 1, x₁ is 5 x₀, the place is the step modulo 4."""
    numbers = np.random.default_rng(1)
    recurrent = learner.context is None
    initial = [part.numpy() for part in learner.online.initial_state(1)]
    replay = Replay(SPACES, num_envs=2, capacity=2000, generator=numbers, initial_state=initial if recurrent else None)
    x, age = np.zeros(2), 0
    for _ in range(steps):
        actions = numbers.integers(2, size=2)
        states = [np.zeros((2, *part.shape[1:]), np.float32) for part in initial] if recurrent else None
        replay.add(_look(x, age), actions, np.ones(2), states)
        x, age = x + 2 * actions - 1, age + 1
        if age == 11:
            replay.end_episodes(np.arange(2), _look(x, age), np.zeros(2, bool))
            x, age = np.zeros(2), 0
    return replay


def _look(x: np.ndarray, age: int) -> dict[str, np.ndarray]:
    return {"x": np.stack([x, 5 * x], -1).astype(np.float32), "place": np.full((2, 1), age % 4, np.int32)}


def batch_of(learner: DQN, experiment: Experiment, replay: Replay, size: int = 16) -> Batch:
    batch = replay.sample(size, learner.rule(experiment), 0.9)
    assert isinstance(batch, Batch)
    return batch


@pytest.mark.parametrize("window", [1, 4])
@pytest.mark.parametrize("memory", ["none", "gru"])
def test_the_prediction_loss_is_the_error_of_the_next_observation(memory: str, window: int) -> None:
    learner, experiment = made({"memory": memory, "predictor": True}, {"window": window, "predict_next": 0.5})
    plain, _ = made({"memory": memory}, {"window": window})
    batch = batch_of(learner, experiment, walk(learner))
    predictor = learner.online.predictor
    assert predictor is not None and plain.online.predictor is None
    inputs = learner.network_inputs(batch.observation, batch.prev_action, batch.prev_reward)
    state = None if batch.state is None else tuple(torch.from_numpy(part) for part in batch.state)
    with torch.no_grad():
        h = learner.online.features(inputs, state)[0]
        rows = np.argwhere(batch.mask)
        following = []
        for t, b in rows:
            ones = np.arange(4) == batch.observation["place"][t + 1, b, 0]
            following.append([*batch.observation["x"][t + 1, b], *ones])
        seen = np.array(following)
        spread = np.maximum(seen.std(0), 1e-3)
        total = 0.0
        for (t, b), wanted in zip(rows, (seen - seen.mean(0)) / spread, strict=True):
            said = predictor(h[t, b].view(1, 1, -1), torch.tensor([[int(batch.action[t, b])]]))
            total += float(np.mean((said.view(-1).numpy() - wanted) ** 2))
    foresight = total / len(rows)
    alone, _ = made({"memory": memory, "predictor": True}, {})
    with torch.no_grad():
        alone.flat.values.copy_(learner.flat.values)
        alone.flat_target.values.copy_(learner.flat_target.values)
    off = experiment_from({**as_data(experiment), "learn": {**as_data(experiment)["learn"], "predict_next": 0.0}})
    without = alone.update(batch, off)[0].loss
    assert learner.update(batch, experiment)[0].loss == pytest.approx(without + 0.5 * foresight, rel=1e-4)


@pytest.mark.parametrize("saved_by", ["this version", "an earlier version"])
def test_what_the_encoder_standardises_is_predicted_as_it_is(saved_by: str) -> None:
    """Runs of earlier versions standardised it a second time, and go on as they began."""
    learner, experiment = made({"predictor": True, "standardise": True}, {"pretrain_updates": 9})
    learner.online.encoder.standardised["x"].set(np.array([1.0, -2.0]), np.array([4.0, 30.0]))
    batch = batch_of(learner, experiment, walk(learner))
    arrays = {name: value.clone() for name, value in learner.arrays().items()}
    if saved_by == "an earlier version":
        del arrays["observed.once"]
    learner.restore(arrays)
    predictor, encoder = learner.online.predictor, learner.online.encoder
    assert predictor is not None
    inputs = learner.network_inputs(batch.observation, batch.prev_action, batch.prev_reward)
    with torch.no_grad():
        said = predictor(learner.online.features(inputs, None)[0][:-1], torch.from_numpy(batch.action)[:-1])
        raw, mask = encoder.raw(inputs.observation)[1:], torch.from_numpy(batch.mask)[:-1]
        seen = raw[mask]
        wanted = (seen - seen.mean(0)) / seen.std(0, correction=0).clamp(min=1e-3)
        if saved_by == "this version":
            wanted[:, :2] = seen[:, :2]
        loss = (said[mask] - wanted).square().mean()
    assert learner.update(batch, experiment)[0].loss == pytest.approx(float(loss), rel=1e-4)


def test_the_last_observation_of_an_episode_is_predicted_too_and_padding_is_not() -> None:
    learner, experiment = made({"predictor": True}, {"window": 6})
    batch = batch_of(learner, experiment, walk(learner))
    assert not batch.mask[-1].any(), "a learned step always has a successor in its window"
    changed = {name: part.copy() for name, part in batch.observation.items()}
    inside = np.zeros_like(batch.mask)
    for b in range(batch.mask.shape[1]):
        inside[: np.flatnonzero(batch.mask[:, b]).max() + experiment.learn.n_step + 1, b] = True
    assert not inside.all()
    changed["x"][~inside] = 1e6
    other = Batch(**{name: getattr(batch, name) for name in batch.__slots__} | {"observation": changed})
    twin, _ = made({"predictor": True}, {"window": 6})
    assert learner.update(batch, experiment)[0].loss == pytest.approx(twin.update(other, experiment)[0].loss)


def test_pretraining_learns_only_the_prediction() -> None:
    learner, experiment = made({"predictor": True}, {"pretrain_updates": 150, "lr": 3e-3, "predict_next": 0.0})
    replay = walk(learner)
    head = [parameter.clone() for parameter in learner.online.head.parameters()]
    losses = [learner.update(batch_of(learner, experiment, replay), experiment)[0].loss for _ in range(150)]
    assert all(torch.equal(a, b) for a, b in zip(head, learner.online.head.parameters(), strict=True))
    assert np.mean(losses[-20:]) < 0.2 * np.mean(losses[:5])
    learner.update(batch_of(learner, experiment, replay), experiment)
    assert not all(torch.equal(a, b) for a, b in zip(head, learner.online.head.parameters(), strict=True))


def test_the_state_of_pretraining_is_saved_and_copied_by_a_fork() -> None:
    learner, experiment = made({"predictor": True}, {"pretrain_updates": 5})
    replay = walk(learner)
    for _ in range(5):
        learner.update(batch_of(learner, experiment, replay), experiment)
    arrays = {name: value.clone() for name, value in learner.arrays().items()}
    again, _ = made({"predictor": True}, {"pretrain_updates": 5})
    again.restore(arrays)
    assert again.updates == 5
    batch = batch_of(learner, experiment, replay)
    assert again.update(batch, experiment) == learner.update(batch, experiment)
    heir, _ = made({"predictor": True}, {"pretrain_updates": 5})
    heir.take_over(arrays, learner.layout)
    assert heir.updates == 5
    other, _ = made({"predictor": True, "memory": "gru"}, {"pretrain_updates": 5})
    other.take_over(arrays, learner.layout)
    assert other.updates == 0


def test_a_memorys_own_errors_are_averaged_over_the_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = catalog.Entry("", f"{__name__}:Forecasting", catalog.memories.RecurrentOptions)
    monkeypatch.setitem(catalog.MEMORIES, "forecasting", entry)
    monkeypatch.setattr(
        catalog, "load", lambda entry, load=catalog.load: Forecasting if __name__ in entry.target else load(entry)
    )
    learner, experiment = made({"memory": "forecasting"}, {"self_weight": 3.0})
    plain, usual = made({"memory": "gru"}, {})
    batch = batch_of(learner, experiment, walk(learner))
    steps, series = np.arange(len(batch.mask))[:, None], 8 * (np.arange(batch.mask.shape[1]) % 2)
    spread = np.broadcast_to(series, batch.mask.shape)[batch.mask].var()
    squares = (steps**2 * batch.mask).sum() / batch.mask.sum()
    assert spread > squares
    own = squares / spread
    loss = plain.update(batch, usual)[0].loss
    assert learner.update(batch, experiment)[0].loss == pytest.approx(loss + 3.0 * own, rel=1e-5)


def test_the_standardizer_follows_mean_and_spread() -> None:
    standardizer = RunningStandardizer(torch.zeros(2, dtype=torch.bool))
    g = torch.Generator().manual_seed(0)
    for _ in range(500):
        raw = torch.randn(4, 5, 2, generator=g) * torch.tensor([3.0, 0.0]) + torch.tensor([7.0, 2.0])
        standardizer.update(raw, torch.ones(4, 5, dtype=torch.bool))
    assert standardizer.moments.mean.tolist() == pytest.approx([7.0, 2.0], abs=0.2)
    assert standardizer.standardized(torch.tensor([10.0, 2.0])).tolist() == pytest.approx([1.0, 0.0], abs=0.1)
    assert float(standardizer.standardized(torch.tensor([7.0, 50.0]))[1]) == 10.0


def test_the_standardizer_measures_a_small_spread_far_from_zero() -> None:
    standardizer, g = RunningStandardizer(torch.zeros(1, dtype=torch.bool)), torch.Generator().manual_seed(0)
    for _ in range(300):
        standardizer.update(30_000 + torch.randn(4, 50, 1, generator=g), torch.ones(4, 50, dtype=torch.bool))
    scaled = standardizer.standardized(torch.tensor([[29_999.0], [30_000.0], [30_001.0]]))
    assert scaled.flatten().tolist() == pytest.approx([-1.0, 0.0, 1.0], abs=0.1)
