"""Random streams: runs with noise, dropout, augmentation and priorities repeat bit for bit; playing has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from dqngui.config import Experiment
from dqngui.hosts import events_of, open_host, run_inline
from dqngui.jobs.training import Training
from dqngui.learning.batches import Batch
from dqngui.learning.dqn import DQN
from dqngui.learning.off_policy import OffPolicy
from dqngui.messages import Finished, Learned, Request, SetKnob, Stop
from dqngui.runs.checkpoints import load_weights
from dqngui.runs.folder import create
from dqngui.settings import as_data, experiment_from
from tests.event_logs import log

CHANCY: dict[str, Any] = {
    "env": {"id": "CartPole-v1", "num_envs": 4},
    "net": {"attention": "none", "tokens": "one", "width": 16, "noisy": True, "dropout": 0.2, "predictor": True,
            "head": "dueling", "values": "quantile", "atoms": 7},
    "learn": {
        "window": 6, "burn_in": 2, "n_step": 2, "batch_size": 4, "warmup": 80, "update_every": 16, "prioritized": True,
        "replay_capacity": 400, "epsilon": {"start": 0.0, "end": 0.0, "steps": 0}, "augment_noise": 0.1,
        "augment_shift": 1, "weight_decay": 0.1, "rescale": True, "pretrain_updates": 5,
    },
    "run": {"total_steps": 400, "eval_every": 200, "eval_episodes": 2, "checkpoint_every": 100, "log_every": 50,
            "device": "cpu"},
}  # fmt: skip
SCHEDULE = (
    SetKnob(field="learn.predict_next", value=0.3, at=240),
    SetKnob(field="learn.augment_noise", value=0.3, at=300),
)
MEMORYLESS = {"memory": "none", "predictor": False, "values": "categorical"}
PICTURES = {"id": "dqngui/Catch-v0", "num_envs": 4}


def chancy(kind: str) -> Experiment:
    net, env, learn = CHANCY["net"], CHANCY["env"], CHANCY["learn"]
    if kind == "pairs":
        net, learn = {**net, **MEMORYLESS}, {**learn, "window": 1, "burn_in": 0}
    if kind == "pictures":
        env = PICTURES
    return experiment_from({**CHANCY, "env": env, "net": net, "learn": learn})


@pytest.mark.parametrize(
    "kind", ["windows", pytest.param("pairs", marks=pytest.mark.slow), pytest.param("pictures", marks=pytest.mark.slow)]
)
def test_random_streams_are_the_same_in_every_host(kind: str, tmp_path: Path) -> None:
    experiment = chancy(kind)
    logs, weights = {}, {}
    for host in ("inline", "thread", "process"):
        folder = create(tmp_path, experiment)
        request = Request(job="train", experiment=experiment, folder=str(folder), schedule=SCHEDULE)
        events = list(events_of(open_host(host, request)))
        assert isinstance(events[-1], Finished)
        logs[host] = log(events)
        weights[host] = load_weights(folder, "last")[1]
        assert len([row for row in logs[host] if row["type"] == "KnobChanged"]) == 2
        assert logs[host] == logs["inline"]
        assert all(torch.equal(value, weights["inline"][name]) for name, value in weights[host].items())


@pytest.mark.parametrize("kind", ["windows", "pairs"])
def test_random_streams_continue_when_a_run_is_resumed(kind: str, tmp_path: Path) -> None:
    experiment = chancy(kind)
    whole, cut = (create(tmp_path, experiment) for _ in range(2))
    request = Request(job="train", experiment=experiment, folder=str(whole))
    rows = log(list(run_inline(request)))
    request = replace(request, folder=str(cut))
    first = log(list(run_inline(replace(request, schedule=(Stop(at=220),)))))
    second = log(list(run_inline(replace(request, experiment=None, resume=True))))
    logged = [row for row in (*first, *second) if row["type"] in ("Learned", "EpisodeEnded", "Evaluated")]
    assert logged == [row for row in rows if row["type"] in ("Learned", "EpisodeEnded", "Evaluated")]
    ends = [load_weights(folder, "last")[1] for folder in (whole, cut)]
    assert all(torch.equal(value, ends[1][name]) for name, value in ends[0].items())


def test_another_seed_gives_other_random_numbers() -> None:
    experiment = chancy("windows")
    data = as_data(experiment)
    other = experiment_from({**data, "run": {**data["run"], "seed": 1}})
    losses = []
    for each in (experiment, experiment, other):
        losses.append([e.loss for e in run_inline(Request(job="train", experiment=each)) if isinstance(e, Learned)])
    assert losses[0] == losses[1] != losses[2]


def trained(experiment: Experiment, steps: int) -> tuple[Training, OffPolicy]:
    torch.set_num_threads(1)
    training = Training(experiment)
    training.begin()
    while training.counters.step < steps:
        training.act()
        training.learn()
    assert isinstance(training.algorithm, OffPolicy)
    return training, training.algorithm


def test_acting_draws_noise_anew_and_the_policy_has_none() -> None:
    training, algorithm = trained(chancy("windows"), 160)
    learner = algorithm.learner
    inputs = learner.network_inputs({"observation": np.zeros((1, 1, 4), np.float32)}, *np.zeros((2, 1, 1), np.int64))
    with torch.inference_mode():
        for network, restless in ((learner.online, True), (learner.policy, False)):
            a, b = (network(inputs, None)[0] for _ in range(2))
            assert torch.equal(a, b) is not restless
    training.close()


def test_a_state_saved_before_there_were_random_streams_still_loads() -> None:
    data = as_data(chancy("windows"))
    plain = experiment_from({**data, "net": {**data["net"], "predictor": False}})
    training, algorithm = trained(plain, 160)
    arrays = {n: v for n, v in algorithm.learner.arrays().items() if not n.startswith("chance") and n != "updates"}
    again = DQN(training.spaces, plain, training.device, torch.Generator().manual_seed(1))
    again.restore(arrays)
    assert torch.equal(again.flat.values, algorithm.learner.flat.values)
    assert again.updates == algorithm.learner.updates > 0
    training.close()


@pytest.mark.parametrize("burn_in", [0, 3])
@pytest.mark.parametrize("memory", ["gru", "transformer"])
@pytest.mark.parametrize("attention", ["none", "recurrent"])
def test_a_window_from_its_stored_state_gives_what_the_episode_gave(attention: str, memory: str, burn_in: int) -> None:
    """The attention that asks the memory keeps the memory's last output in the state."""
    data = {
        "env": CHANCY["env"],
        "net": {"attention": attention, "memory": memory, "tokens": "feature", "width": 16, "standardise": False},
        "learn": {"window": 5, "burn_in": burn_in, "warmup": 100_000, "replay_capacity": 4000, "reward_scale": 1.0},
        "run": CHANCY["run"],
    }
    training, algorithm = trained(experiment_from(data), 400)
    learner, replay, experiment = algorithm.learner, algorithm.store, training.experiment
    assert learner.context == (None if attention == "recurrent" or memory == "gru" else 15)
    batch = replay.sample(40, learner.rule(experiment), 0.9)
    assert isinstance(batch, Batch)
    if learner.context is None:
        assert batch.state is not None and any(np.abs(part).max() > 0 for part in batch.state)
        assert len(batch.state) == len(learner.online.initial_state(1))
    with torch.no_grad():
        estimate = learner.unroll(batch, torch.from_numpy(batch.mask), experiment.learn)[0]
        for b in range(40):
            env, place = divmod(int(batch.indices[b]), replay.rows)
            start = int(replay.start[batch.indices[b]])
            rows = env * replay.rows + np.arange(start, place + experiment.learn.window)  # the ring has not come round
            observation = {name: part[rows][:, None] for name, part in replay.observation.items()}
            prev_action = np.concatenate([[-1], replay.action[rows[:-1]]])[:, None]
            prev_reward = np.concatenate([[0], replay.reward[rows[:-1]]]).astype(np.float32)[:, None]
            episode = learner.online.estimate(learner.network_inputs(observation, prev_action, prev_reward), None)[0]
            learned = np.flatnonzero(batch.mask[:, b])
            expected = episode[place - start : place - start + len(learned), 0]
            assert torch.allclose(estimate[learned, b], expected, atol=1e-5)
    training.close()
