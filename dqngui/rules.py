"""Rules: from what each derived setting is computed, and how.

A rule sees the whole experiment and gives the value of one setting, or None for the setting's default. It may also ask
whether another setting is derived (`Experiment.derived`) or was chosen. The rules of `TASK_RULES` read what was
measured of the task (`Experiment.task`), never its name. Their numbers come from single runs on a few tasks of
different kinds; the evidence in `assets/evidence` is of presets and does not test them yet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dqngui import size_rules
from dqngui.config import Experiment, LearnConfig, Schedule, TaskFacts, over_run

Rule = Callable[[Experiment], Any]

MEMORY_OPTIONS = "net.memory_options."
LONGEST_WHOLE = 128
"""Episodes of at most this many steps are learned as a whole, because nothing is learned from a window without the cue
that its end asks for."""
ROWS = 1024
"""Learned steps of one update, in windows of any length."""
UPDATE_EVERY = 32
"""Most environment steps between updates."""
FEWEST_UPDATES = 6_000
"""Updates of a run, where they need not come more often than every four steps: with fewer, agents are not stable at the
end."""
LONGEST_REPETITION, REPETITION_POWER = 64, 1.0
"""Longest repetition of a random action, and how much rarer long ones are, where single actions found nothing. Of
random episodes of MountainCar 9 % reach the flag with this power, 1.6 % with 2 and none without repetition; of Acrobot
12, 26 and 1.2 % reach the height."""
FEWEST_FOUND = 2
"""Episodes of held actions that must have found something before actions are repeated, where no single ones did."""
SLOW = 1600
"""Environment steps per second below which there are more updates for each step: a step then costs more than what is
learned from it."""
EVAL_EPISODES = 20
"""Episodes of an evaluation, which are played together: with 10, noise chose the best checkpoint. In a simulation of 25
evaluations of agents whose true values vary by 40, and their episodes by 100, the chosen one lost 5.1 against the best
instead of 8.7."""
SHORTEST_WARMUP, LONGEST_WARMUP = 200, 2_000
MOST_WARMUP = 4
"""A warm-up takes at most one step in so many of a run, so that the shortest runs learn too."""


def _known_horizon(experiment: Experiment) -> int | None:
    return experiment.net.horizon or None


def episode_limit(task: TaskFacts | None) -> int | None:
    """Most steps of an episode: its time limit, or its length if all random episodes had the same; else None."""
    if task is None:
        return None
    if task.time_limit is not None:
        return task.time_limit
    same = task.episodes >= 2 and task.shortest == task.longest and task.unfinished <= (task.longest or 0)
    return task.longest if same else None


def whole_episodes(experiment: Experiment) -> int | None:
    """The length of windows that hold every episode as a whole; None if episodes are too long, or nothing remembers."""
    limit = episode_limit(experiment.task)
    remembers = experiment.net.memory != "none" or experiment.net.attention == "recurrent"
    return limit if remembers and limit is not None and limit <= LONGEST_WHOLE else None


def _horizon(experiment: Experiment) -> int | None:
    """The whole episode, if only its end is rewarded: gates then have to keep what was seen at its start. Where every
    step is rewarded, gates that keep everything learn several times more slowly.
    """
    task = experiment.task
    return whole_episodes(experiment) if task is not None and task.reward_at_end else None


def _window_from(experiment: Experiment) -> str | None:
    """From the start only where a window holds the whole episode: later steps would never be learned."""
    whole = whole_episodes(experiment)
    if whole is None:
        return None
    if "learn.window" not in experiment.derived:
        return "start" if experiment.learn.window >= whole else None
    fits = size_rules.steps_that_fit(experiment)
    return "start" if fits is None or whole + _read_before(experiment, 0) <= fits else None


def _read_before(experiment: Experiment, usual: int) -> int:
    """Steps that a window reads before the learned ones, with this burn-in unless another one was chosen."""
    burn_in = usual if "learn.burn_in" in experiment.derived else experiment.learn.burn_in
    return max(burn_in, size_rules.context(experiment))


def _window(experiment: Experiment) -> int | None:
    """The whole episode where windows start with it; else the default, or less where a chosen replay holds less."""
    whole = whole_episodes(experiment)
    if experiment.learn.window_from == "start" and whole is not None:
        return whole
    usual, fits = LearnConfig(), size_rules.steps_that_fit(experiment)
    if fits is None or usual.window + _read_before(experiment, usual.burn_in) <= fits:
        return None
    return min(usual.window, fits - _read_before(experiment, max(0, fits // 5)))


def _burn_in(experiment: Experiment) -> int | None:
    """None where windows start with the episode; else the default, or less where a chosen replay holds less."""
    if experiment.learn.window_from == "start":
        return 0
    fits = size_rules.steps_that_fit(experiment)
    return None if fits is None else max(0, min(LearnConfig().burn_in, fits - experiment.learn.window))


def _batch_size(experiment: Experiment) -> int:
    return max(8, min(64, round(ROWS / experiment.learn.window)))


def _repeats(experiment: Experiment) -> bool:
    """Whether held actions found something where single ones found nothing.

    Where single ones find anything they teach more: on Acrobot, where held ones find it five times as often, the mean
    test return of four trainings was -77.9 without repetition and -81.9 with it.
    """
    assert experiment.task is not None
    return experiment.task.single_found == 0 and experiment.task.held_found >= FEWEST_FOUND


def _epsilon(experiment: Experiment) -> float | Schedule:
    """Longer where something has to be found first. A share of the run, so that its steps follow the run's length even
    where a person chose another start or end.
    """
    share = 0.2 if _repeats(experiment) else 0.1
    return over_run(Schedule(start=1.0, end=0.05, steps=0, share=share), experiment.run.total_steps)


def _epsilon_repeat(experiment: Experiment) -> int | None:
    return LONGEST_REPETITION if _repeats(experiment) else None


def _epsilon_repeat_power(experiment: Experiment) -> float | None:
    return REPETITION_POWER if _repeats(experiment) else None


def _warmup(experiment: Experiment) -> int:
    steps = experiment.run.total_steps
    return min(steps // MOST_WARMUP, max(SHORTEST_WARMUP, min(LONGEST_WARMUP, steps // 25)))


def _update_every(experiment: Experiment) -> int | None:
    """Halved until a run has enough updates, and for every halving of the speed below `SLOW`."""
    assert experiment.task is not None
    every, speed, steps = UPDATE_EVERY, float(SLOW), experiment.run.total_steps
    while every > 4 and (experiment.task.steps_per_second < speed or steps / every < FEWEST_UPDATES):
        every, speed = every // 2, speed / 2
    return every


def _eval_every(experiment: Experiment) -> int:
    return max(1, experiment.run.total_steps // 25)


def _eval_episodes(experiment: Experiment) -> int:
    """One where all greedy episodes are the same."""
    assert experiment.task is not None
    return 1 if experiment.task.deterministic else EVAL_EPISODES


def _eval_share(experiment: Experiment) -> float | None:
    """A step of an evaluation costs as much as one of training if the environment is what takes the time."""
    assert experiment.task is not None
    return 0.5 if experiment.task.steps_per_second < SLOW else None


def _checkpoint_every(experiment: Experiment) -> int:
    return max(1, experiment.run.total_steps // 20)


TASK_RULES: dict[str, Rule] = {
    "net.tokens": size_rules.tokens,
    "net.attention": size_rules.attention,
    "net.hidden": size_rules.hidden,
    "net.width": size_rules.width,
    "net.horizon": _horizon,
    "learn.window_from": _window_from,
    "learn.window": _window,
    "learn.burn_in": _burn_in,
    "learn.batch_size": _batch_size,
    "learn.epsilon": _epsilon,
    "learn.epsilon_repeat": _epsilon_repeat,
    "learn.epsilon_repeat_power": _epsilon_repeat_power,
    "learn.warmup": _warmup,
    "learn.update_every": _update_every,
    "run.eval_every": _eval_every,
    "run.eval_episodes": _eval_episodes,
    "run.eval_share": _eval_share,
    "run.checkpoint_every": _checkpoint_every,
    "learn.replay_capacity": size_rules.replay_capacity,
}
"""Rules that hold only where the task was measured."""

_MEMORY_RULES: dict[str, Rule] = {
    f"{MEMORY_OPTIONS}chrono": _known_horizon,
    f"{MEMORY_OPTIONS}length": size_rules.memory_length,
    f"{MEMORY_OPTIONS}season": _known_horizon,
}
_BEFORE_MEMORY = ("net.tokens", "net.attention", "net.hidden", "net.width", "net.horizon")

RULES: dict[str, Rule] = {
    **{path: TASK_RULES[path] for path in _BEFORE_MEMORY},
    **_MEMORY_RULES,
    **{path: rule for path, rule in TASK_RULES.items() if path not in _BEFORE_MEMORY},
}
"""By the dotted name of a setting: the function that computes it from an experiment.

It returns a value of the setting, which is then moved into the setting's bounds if it is a number, or None: the
setting's default. The rules are applied in this order, so a rule that reads another derived setting comes after it.
"""
