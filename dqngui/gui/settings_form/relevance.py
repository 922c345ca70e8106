"""Which settings have an effect in an experiment: the form hides the others."""

from __future__ import annotations

from collections.abc import Callable

from dqngui import settings
from dqngui.config import ConfigError, Experiment
from dqngui.derivation import MEMORY_OPTIONS, derivable

Condition = Callable[[Experiment], bool]


def _recurrent(experiment: Experiment) -> bool:
    """Whether replay stores memory states: for a memory without a finite context, and for recurrent attention."""
    if experiment.net.attention == "recurrent":
        return True
    try:
        options = settings.module_options(experiment, "memory")
    except ConfigError:
        return True
    return _has_memory(experiment) and not hasattr(options, "context")


def _has_memory(experiment: Experiment) -> bool:
    return experiment.net.memory != "none"


def _prioritized(experiment: Experiment) -> bool:
    return experiment.learn.prioritized


def _has_predictor(experiment: Experiment) -> bool:
    return experiment.net.predictor


def _values(*kinds: str) -> Condition:
    return lambda experiment: experiment.net.values in kinds


_OF_ALGORITHM = {
    "dqn": (
        "net.head", "net.values", "net.atoms", "net.v_min", "net.v_max", "net.noisy", "net.noise", "net.dropout",
        "net.predictor", "learn.epsilon", "learn.epsilon_ladder", "learn.epsilon_repeat", "learn.epsilon_repeat_power",
        "learn.burn_in", "learn.window_from", "learn.state_stride", "learn.n_step", "learn.double",
        "learn.update_every", "learn.updates", "learn.target",
        "learn.tau", "learn.average", "learn.target_every", "learn.kappa", "learn.rescale", "learn.predict_next",
        "learn.pretrain_updates", "learn.augment_noise", "learn.augment_shift", "learn.warmup",
        "learn.replay_capacity", "learn.prioritized", "learn.priority_alpha", "learn.priority_beta",
        "learn.priority_eta",
    ),
    "ppo": (
        "learn.rollout", "learn.epochs", "learn.clip", "learn.target_kl", "learn.gae_lambda", "learn.entropy_weight",
        "learn.value_weight", "learn.value_clip", "learn.normalise_advantages",
    ),
}  # fmt: skip
_ONLY_OF = {path: algorithm for algorithm, paths in _OF_ALGORITHM.items() for path in paths}

_CONDITIONS: dict[str, Condition] = {
    "net.horizon": lambda experiment: any(path.startswith(MEMORY_OPTIONS) for path in derivable(experiment)),
    "net.shortcut": _has_memory,
    "net.convolutions": lambda experiment: experiment.net.tokens == "one",
    "net.atoms": _values("categorical", "quantile"),
    "net.v_min": _values("categorical"),
    "net.v_max": _values("categorical"),
    "net.noise": lambda experiment: experiment.net.noisy,
    "learn.predict_next": _has_predictor,
    "learn.pretrain_updates": _has_predictor,
    "learn.self_weight": lambda experiment: experiment.net.memory == "sarima",
    "learn.loss": lambda experiment: experiment.learn.algorithm != "dqn" or experiment.net.values == "mean",
    "learn.kappa": _values("quantile"),
    "learn.burn_in": _recurrent,
    "learn.state_stride": _recurrent,
    "learn.epsilon_ladder": lambda experiment: experiment.env.num_envs > 1,
    "learn.epsilon_repeat_power": lambda experiment: experiment.learn.epsilon_repeat > 1,
    "learn.tau": lambda experiment: experiment.learn.target == "soft",
    "learn.target_every": lambda experiment: experiment.learn.target == "hard",
    "learn.priority_alpha": _prioritized,
    "learn.priority_beta": _prioritized,
    "learn.priority_eta": _prioritized,
    "run.eval_episodes": lambda experiment: experiment.run.eval_every > 0,
    "run.stop_at": lambda experiment: experiment.run.eval_every > 0,
}


def relevant(experiment: Experiment, path: str) -> bool:
    """Whether this setting has an effect in the experiment."""
    if _ONLY_OF.get(path, experiment.learn.algorithm) != experiment.learn.algorithm:
        return False
    condition = _CONDITIONS.get(path)
    return condition is None or condition(experiment)
