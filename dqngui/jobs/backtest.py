"""Backtests: trained agents and simple rules trade through the same unseen bars, and their accounts are compared."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from dqngui.config import ConfigError, EnvConfig, Experiment
from dqngui.envs.make import make_env
from dqngui.envs.trading.baselines import (
    BASELINES,
    Walk,
    at_random,
    daily_returns,
    fitting_steps,
    walk,
    window_starts,
)
from dqngui.envs.trading.market import Trading
from dqngui.envs.trading.splits import Part
from dqngui.envs.vector import Envs
from dqngui.jobs.test import stored_network
from dqngui.learning.evaluation import episode
from dqngui.runs.checkpoints import load_weights
from dqngui.runs.folder import trusted_experiment

RANDOM_WALKS = 50
AGENTS = "agent"
TRADING = "dqngui/Trading-v0"


@dataclass(frozen=True)
class Backtest:
    """The accounts of a part.

    Attributes:
        part: `selection` or `test`.
        dates: first and last day, ISO 8601.
        walks: by name: the mean over the agents as `agent`, each agent by its run's name if there are several, and
            the baselines, of which random positions are a mean of many walks.
    """

    part: Part
    dates: tuple[str, str]
    walks: dict[str, Walk]


def backtest(folders: Sequence[Path], part: Part = "test") -> Backtest:
    """Trade with the best checkpoints of runs on the same market. Raises ConfigError."""
    experiments = [trusted_experiment(folder) for folder in folders]
    for folder, experiment in zip(folders, experiments, strict=True):
        if experiment.env.id != TRADING:
            raise ConfigError("backtest.other_task", run=folder, task=experiment.env.id)
        if experiment.env != experiments[0].env:
            raise ConfigError("backtest.other_market", first=folders[0], other=folder)
    config = _whole_part(experiments[0].env, part)
    found = {folder.name: _agent(folder, each, config, part) for folder, each in zip(folders, experiments, strict=True)}
    with closing(make_env(config)) as env:
        market = _market(env)
        starts = list(window_starts(market, part))
        dates = str(market.prices.dates[starts[0]]), str(market.prices.dates[starts[-1] + market.steps])
        walks = {AGENTS: _mean(list(found.values()))} | (found if len(found) > 1 else {})
        for name, decide in BASELINES.items():
            count = RANDOM_WALKS if decide is at_random else 1
            walks[name] = _mean([walk(market, decide, part, seed) for seed in range(count)])
    return Backtest(part, dates, walks)


def _mean(walks: list[Walk]) -> Walk:
    """Of money spread evenly over the accounts each day."""
    return Walk(np.mean([each.returns for each in walks], axis=0))


def _whole_part(config: EnvConfig, part: Part) -> EnvConfig:
    with closing(make_env(config)) as env:
        steps = fitting_steps(_market(env), part)
    return msgspec.structs.replace(config, kwargs={**config.kwargs, "steps": steps})


def _market(env: object) -> Trading:
    market = getattr(env, "unwrapped", None)
    assert isinstance(market, Trading)
    return market


def _agent(folder: Path, experiment: Experiment, config: EnvConfig, part: Part) -> Walk:
    """The walk of a run's best checkpoint, greedily."""
    _, weights = load_weights(folder, "best")
    env = make_env(config)
    market, found = _market(env), []
    with closing(Envs([env], config)) as envs:
        network = stored_network(envs.spaces, experiment, weights)
        device = next(network.parameters()).device
        for start in window_starts(market, part):
            market.begin_at = start
            for _ in episode(network, envs, 0, device=device, watch=lambda t: None, longest=market.steps):
                pass
            found.append(daily_returns(market))
    return Walk(np.concatenate(found))
