"""Which settings have an effect in an experiment: the form hides the others."""

from __future__ import annotations

from collections.abc import Callable

from dqngui import catalog, settings
from dqngui.config import ConfigError, Experiment

Condition = Callable[[Experiment], bool]


def _recurrent(experiment: Experiment) -> bool:
    try:
        return isinstance(settings.module_options(experiment, "memory"), catalog.RecurrentOptions)
    except ConfigError:
        return True


def _remembers(experiment: Experiment) -> bool:
    return experiment.net.memory != "none"


def _prioritized(experiment: Experiment) -> bool:
    return experiment.learn.prioritized


def _values(*kinds: str) -> Condition:
    return lambda experiment: experiment.net.values in kinds


_CONDITIONS: dict[str, Condition] = {
    "net.horizon": _remembers,
    "net.previous_action": _remembers,
    "net.previous_reward": _remembers,
    "net.atoms": _values("categorical", "quantile"),
    "net.v_min": _values("categorical"),
    "net.v_max": _values("categorical"),
    "net.noise": lambda experiment: experiment.net.noisy,
    "learn.loss": _values("mean"),
    "learn.kappa": _values("quantile"),
    "learn.burn_in": _recurrent,
    "learn.state_stride": _recurrent,
    "learn.epsilon_ladder": lambda experiment: experiment.env.num_envs > 1,
    "learn.tau": lambda experiment: experiment.learn.target == "soft",
    "learn.target_every": lambda experiment: experiment.learn.target == "hard",
    "learn.priority_alpha": _prioritized,
    "learn.priority_beta": _prioritized,
    "learn.priority_eta": _prioritized,
    "run.eval_episodes": lambda experiment: experiment.run.eval_every > 0,
    "run.stop_at": lambda experiment: experiment.run.eval_every > 0,
}


def relevant(experiment: Experiment, path: str) -> bool:
    """Whether changing this setting would change the run."""
    condition = _CONDITIONS.get(path)
    return condition is None or condition(experiment)
