"""POPGym's tasks: every kind of observation and of actions that they have is used as it is."""

from __future__ import annotations

import math
from typing import Any

import gymnasium
import pytest

from dqngui.config import EnvConfig
from dqngui.defaults import default_experiment
from dqngui.envs.make import make_vector
from dqngui.messages import Evaluated, Failed
from dqngui.settings import with_settings
from tests.event_logs import run

pytest.importorskip("popgym")

KINDS = {
    "popgym-AutoencodeEasy-v0": ({"0": (1,), "1": (1,)}, 4),  # Tuple(Discrete, Discrete)
    "popgym-BattleshipEasy-v0": ({"observation": (1,)}, 64),  # actions MultiDiscrete
    "popgym-ConcentrationEasy-v0": ({"observation": (52,)}, 52),  # observations MultiDiscrete
    "popgym-HigherLowerEasy-v0": ({"observation": (1,)}, 2),  # Discrete
    "popgym-NoisyPositionOnlyPendulumEasy-v0": ({"observation": (2,)}, 5),  # Box, actions Box: cut into bins
}
SMALL: dict[str, Any] = {
    "net.memory": "gru",
    "net.width": 16,
    "run.total_steps": 160,
    "learn.warmup": 96,
    "run.eval_every": 160,
    "run.eval_episodes": 2,
    "run.device": "cpu",
}


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_of_task_is_used_with_its_parts_and_actions(name: str) -> None:
    parts, actions = KINDS[name]
    experiment = default_experiment(EnvConfig(id=name))
    envs = make_vector(experiment.env, 1)
    assert {part.name: part.shape for part in envs.spaces.parts} == parts and envs.spaces.actions == actions
    envs.close()


@pytest.mark.parametrize("name", ["popgym-AutoencodeEasy-v0", "popgym-MineSweeperEasy-v0"])
def test_a_memory_trains_on_it_and_is_evaluated(name: str) -> None:
    experiment = with_settings(default_experiment(EnvConfig(id=name)), SMALL)
    events = run(experiment)
    assert not [event for event in events if isinstance(event, Failed)]
    means = [event.mean for event in events if isinstance(event, Evaluated)]
    assert means and all(math.isfinite(mean) and -2 <= mean <= 1 for mean in means)


@pytest.mark.slow
def test_all_forty_two_tasks_train() -> None:
    names = sorted(name for name in gymnasium.registry if name.startswith("popgym-"))
    assert len(names) == 42
    for name in names:
        events = run(with_settings(default_experiment(EnvConfig(id=name)), SMALL))
        assert not [event for event in events if isinstance(event, Failed)], name
