"""Legal actions in whole jobs: no illegal one is taken in training, evaluating, testing and playing, and runs resume.

The environments raise where an illegal action is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import dqngui.jobs.test as testing_job
from dqngui.config import ConfigError, Experiment
from dqngui.hosts import run_inline
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.train import train
from dqngui.messages import (
    AskFaithfulness,
    AskProbe,
    BeginEpisode,
    Command,
    Drive,
    EpisodeBegan,
    Evaluated,
    Event,
    Failed,
    Faithfulness,
    Finished,
    Intervention,
    Look,
    Noted,
    Played,
    Probed,
    Request,
    Stop,
    Warned,
)
from dqngui.runs.folder import create
from dqngui.settings import experiment_from, with_settings
from tests.envs import fenced  # noqa: F401  # registers the environments
from tests.event_logs import run, stored_log
from tests.evidence.meter_verdicts import untrained
from tests.jobs.player_client import player_with_weights

SMALL: dict[str, Any] = {
    "env": {"id": "tests/Fenced-v0", "num_envs": 3},
    "net": {"attention": "none", "memory": "none", "width": 8},
    "learn": {"window": 1, "burn_in": 0, "n_step": 2, "batch_size": 8, "warmup": 40, "update_every": 12,
              "replay_capacity": 120, "epsilon": {"start": 1.0, "end": 0.2, "steps": 100}},
    "run": {"total_steps": 180, "eval_every": 90, "eval_episodes": 2, "checkpoint_every": 60, "device": "cpu"},
}  # fmt: skip
GRU = {"net.memory": "gru", "learn.window": 6, "learn.burn_in": 2}
AGENTS: dict[str, dict[str, Any]] = {
    "held actions": {"learn.epsilon_repeat": 6},
    "gru, prioritised": {**GRU, "learn.prioritized": True, "env.kwargs": {"how": "method"}},
    "noisy, categorical": {
        "net.noisy": True, "net.values": "categorical", "learn.epsilon": 0.0, "env.kwargs": {"how": "part"},
    },
    "quantiles of attending actions": {"net.values": "quantile", "net.attention": "action", "learn.double": False},
    "ppo, gru": {**GRU, "learn.algorithm": "ppo", "learn.rollout": 48, "env.kwargs": {"how": "method"}},
    "taxi": {"env.id": "tests/StrictTaxi-v0", "learn.epsilon": 0.3, "run.eval_episodes": 1},
}  # fmt: skip


def asked(name: str, **changes: Any) -> Experiment:
    return with_settings(experiment_from(SMALL), {**AGENTS[name], **changes})


def recorded(folder: Path, experiment: Experiment | None, schedule: tuple[Command, ...] = ()) -> Iterator[Event]:
    request = Request(job="train", experiment=experiment, folder=str(folder), resume=experiment is None)
    return train(request, Inbox(None, schedule))


@pytest.mark.parametrize("name", AGENTS)
def test_no_illegal_action_is_taken_and_a_stopped_run_resumes_bit_for_bit(name: str, tmp_path: Path) -> None:
    experiment = asked(name)
    whole, folder = (create(tmp_path / each, experiment) for each in ("whole", "stopped"))
    events = list(recorded(whole, experiment))
    assert isinstance(events[-1], Finished) and events[-1].reason == "completed"
    assert any(isinstance(event, Evaluated) for event in events)
    notes = [event.text.key for event in events if isinstance(event, Noted)]
    assert notes.count("train.legal") == 1 and "train.legal_gaps" not in notes
    list(recorded(folder, experiment, (Stop(at=97),)))
    list(recorded(folder, None))
    assert stored_log(folder) == stored_log(whole)
    tests = list(testing_job.test(Request(job="test", folder=str(folder), options={"episodes": 1}), Inbox(None)))
    assert isinstance(tests[-1], Finished) and tests[-1].reason == "completed"


def test_masks_that_come_late_and_leave_gaps_are_told_once_also_after_a_resume(tmp_path: Path) -> None:
    experiment = asked("held actions", **{"env.kwargs": {"fault": (4, "silent")}})
    whole, folder = (create(tmp_path / each, experiment) for each in ("whole", "stopped"))
    keys = [event.text.key for event in recorded(whole, experiment) if isinstance(event, Noted)]
    assert [key for key in keys if "legal" in key] == ["train.legal", "train.legal_gaps"]
    list(recorded(folder, experiment, (Stop(at=60),)))
    list(recorded(folder, None))
    assert stored_log(folder) == stored_log(whole)


def test_a_mask_that_allows_nothing_ends_the_run_with_a_sentence() -> None:
    with pytest.raises(ConfigError, match="Fenced-v0 allows no action at step 5 of an episode"):
        run(asked("held actions", **{"env.kwargs": {"fault": (5, [0, 0, 0, 0])}}))


def test_runs_without_masks_save_what_they_always_saved(tmp_path: Path) -> None:
    folder = create(tmp_path, asked("held actions", **{"env.id": "CartPole-v1"}))
    events = list(recorded(folder, asked("held actions", **{"env.id": "CartPole-v1"})))
    assert not [event for event in events if isinstance(event, Noted) and "legal" in event.text.key]
    for path in (folder / "resume").rglob("*"):
        assert "legal" not in path.name
        if path.suffix == ".json":
            assert b"legal" not in msgspec.json.encode(msgspec.json.decode(path.read_bytes()))


# -- playing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["held actions", "ppo, gru", "taxi"])
@pytest.mark.parametrize("epsilon", [0.0, 0.7])
def test_played_steps_are_legal_and_say_what_was(name: str, epsilon: float) -> None:
    rows = player_with_weights(asked(name)).episode(10, epsilon=epsilon)
    every = np.arange(len(rows["action"]))
    assert rows["legal"].shape == rows["q"].shape
    assert rows["legal"][every, rows["action"]].all()
    if epsilon == 0:
        best = np.where(rows["legal"], rows["q"], -np.inf).max(1)
        assert rows["q"][every, rows["action"]] == pytest.approx(best)
    if name == "ppo, gru":
        assert rows["q"].sum(1) == pytest.approx(1, abs=1e-5)
        assert not rows["q"][~rows["legal"]].any()


def test_a_person_cannot_take_an_illegal_action_and_the_step_goes_on_waiting() -> None:
    player = player_with_weights(asked("held actions"))
    player.send(BeginEpisode(number=1, seed=3, driven=True))
    legal = player.until(EpisodeBegan).legal
    for t in range(4):
        player.send(Drive(number=1, t=t, action=legal.index(False)), Drive(number=1, t=t, action=legal.index(True)))
        said = player.until(Warned).words
        assert f"is not legal at step {t}" in said
        assert f"{legal.index(True)} {player.ready.actions[legal.index(True)]}" in said
        played = player.until(Played)
        assert (played.first, played.tensors["action"].tolist()) == (t, [legal.index(True)])
        assert played.tensors["legal"].tolist() == [list(legal)]
        legal = played.legal
    assert len(legal) == 4


def test_an_intervention_cannot_choose_an_illegal_action() -> None:
    player = player_with_weights(asked("held actions"))
    own = player.episode(10)
    t = next(t for t in range(2, 9) if own["legal"][t].sum() > 1)
    change = Intervention(target="action", first=t, last=t, value=float(own["legal"][t].argmin()))
    player.send(BeginEpisode(number=2, seed=3, interventions=(change,)), Look(number=2, until=20))
    played = 0
    while played < t:  # the steps before it are told
        played += len(player.until(Played).tensors["action"])
    assert f"is not legal at step {t}" in player.until(Failed).words
    other = next(a for a in np.flatnonzero(own["legal"][t]) if a != own["action"][t])
    rows = player.episode(t + 1, number=3, interventions=(Intervention(**{
        "target": "action", "first": t, "last": t, "value": float(other)}),))  # fmt: skip
    assert rows["action"].tolist() == [*own["action"][:t], other]


# -- studying --------------------------------------------------------------------------------------


def answer_of(asked: Experiment, question: Command) -> Any:
    """The answer of the studying job about an agent with random weights."""
    return list(run_inline(Request(job="study", schedule=(*untrained(asked, 0, 20.0), question))))[-2]


def test_studies_take_legal_actions_only() -> None:
    """Also after a removal, with a moved memory, and where a control acts at random."""
    learn = {"learn.window": 6, "learn.burn_in": 2}
    attending = asked(
        "held actions", **{"net.attention": "self", "net.tokens": "feature", "net.memory": "gru", **learn}
    )
    answered = answer_of(attending, AskFaithfulness(number=1, view="attention/self/0", draws=2, episodes=16))
    assert isinstance(answered, Faithfulness)
    assert answered.steps > 50
    assert answered.undone is not None and np.isfinite(answered.undone.value)
    probed = answer_of(attending, AskProbe(number=1, fact="first", episodes=40))
    assert isinstance(probed, Probed)
