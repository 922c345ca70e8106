"""Edits of an experiment: they apply at once before a run starts, and afterwards to a fork or a new run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from dqngui import settings
from dqngui.config import ConfigError, EnvConfig, Experiment, TaskFacts
from dqngui.derivation import AUTOMATIC, TASK_RULES, derivable
from dqngui.jobs.branching import kept_whole
from dqngui.lab.session.run import setting_value
from dqngui.texts import Text

Changes = dict[str, tuple[Any, Any]]
_SLOTS = ("attention", "memory")
_OPTIONS = tuple(f"net.{slot}_options" for slot in _SLOTS)
KEPT = ("run.device", "run.host", "run.seed", "run.threads", "run.total_steps")
"""Settings that do not belong to a task: they stay when another environment is chosen."""


class Draft:
    """An experiment with the user's edits: what a fork or a new run would train.

    Attributes:
        base: the experiment that the edits change.
        experiment: `base` with all valid edits.
        problem: what is wrong with the first invalid edit; "" if all are valid.
    """

    def __init__(self, base: Experiment) -> None:
        self.base = base
        self._left: dict[str, Experiment] = {}  # by its id: what the draft was when the environment was left
        self.reset()

    def reset(self, base: Experiment | None = None) -> None:
        """Forget all edits, and edit `base` from now on, if it is given."""
        self.base = self.experiment = base or self.base
        self.problem: Text | str = ""
        self._unfit: dict[str, Any] = {}  # invalid values, kept as typed until all are valid together
        self._changes: Changes | None = {}

    @property
    def changes(self) -> Changes:
        """(old, new) of each changed setting as plain data, in the order of the form."""
        if self._changes is None:
            self._changes = {**difference(self.base, self.experiment), **self._unfit_changes()}
        return self._changes

    def forked(self, step: int) -> Experiment:
        """What a fork at this step would train: what only followed from an edit does not cost it what its parent
        learned.
        """
        return kept_whole(self.base, self.experiment, step)

    @property
    def problem_paths(self) -> frozenset[str]:
        """Paths of the settings that `problem` is about."""
        if isinstance(self.problem, str):
            return frozenset()
        named = (self.problem.args.get(name) for name in ("path", "other_path"))
        return frozenset(path for path in named if isinstance(path, str))

    def edit(self, changes: Mapping[str, Any], *, new_agent: bool = False) -> None:
        """Change settings. An invalid value is kept as typed, and `problem` names it.

        Another `env.id` first removes what was set for the former environment: its wrappers, arguments, names and
        title. With `new_agent` the network and the learning start from their defaults too. If the former id is set
        again before anything was tried or loaded, all its settings return.
        """
        env_id = changes.get("env.id")
        if isinstance(env_id, str) and env_id != self.value("env.id"):
            former, before = self.experiment, self._left.get(env_id)
            self.choose_environment(env_id, new_agent=new_agent)
            self._left[former.env.id] = former
            if before is not None:
                self.experiment = before
        self._apply(changes)

    def choose_environment(self, env_id: str, *, new_agent: bool) -> None:
        """Start from clean settings in an environment, even in the present one (see `edit`)."""
        self.experiment, self._changes = started_anew(self.experiment, env_id, new_agent=new_agent), None
        self._unfit = {path: value for path, value in self._unfit.items() if path in KEPT}
        if not self._unfit:
            self.problem = ""

    def take_task(self, env: EnvConfig, task: TaskFacts) -> None:
        """Take what was found when the environment was tried: settings that wait for that are derived."""
        waiting = dict.fromkeys(path for path in self.experiment.derived if path in TASK_RULES)
        measured = msgspec.structs.replace(self.experiment, env=env, task=task)
        unfit, self._unfit, self._left = self._unfit, {}, {}
        self.experiment, self._changes = settings.with_settings(measured, waiting), None
        self._apply(unfit)

    def _apply(self, changes: Mapping[str, Any]) -> None:
        for slot in _SLOTS:
            if f"net.{slot}" in changes:
                prefix = f"net.{slot}_options."
                self._unfit = {path: value for path, value in self._unfit.items() if not path.startswith(prefix)}
        self._unfit |= changes
        self._changes = None
        try:
            self.experiment = settings.with_settings(self.experiment, self._unfit)
        except ConfigError as error:
            self.problem = error.text
        else:
            self.problem, self._unfit = "", {}

    def load(self, experiment: Experiment) -> None:
        """Replace the experiment and all edits, but keep device, host, seed and threads."""
        run = self.experiment.run
        keep = {"run.device": run.device, "run.host": run.host, "run.seed": run.seed, "run.threads": run.threads}
        self.experiment = settings.with_settings(experiment, keep)
        self.problem, self._unfit, self._changes, self._left = "", {}, None, {}

    def accept(self) -> Experiment:
        """Make the edited experiment the new base, without pending edits, and return it."""
        self.reset(self.experiment)
        return self.experiment

    def rebase(self, base: Experiment) -> None:
        """Apply the same edits to another experiment."""
        if base == self.base:
            return
        edits, measured = self._edits(), self.experiment.task != self.base.task
        if self.experiment.title != self.base.title:
            edits["title"] = self.experiment.title
        unfit, self._unfit = self._unfit, {}
        env, task = self.experiment.env, self.experiment.task
        self.base = self.experiment = base
        if measured:  # another task, which is not among the settings
            self.experiment = msgspec.structs.replace(base, env=env, task=task)
        self._apply(edits)
        if unfit:
            self._apply(unfit)

    def _edits(self) -> dict[str, Any]:
        """What the person set, by path: `auto` for a setting that is derived again, nothing for what only followed."""
        old, new = set(self.base.derived), set(self.experiment.derived)
        changed = {path: value for path, (_, value) in difference(self.base, self.experiment).items()}
        edits = {path: value for path, value in changed.items() if path not in new}
        edits |= {path: setting_value(self.experiment, path) for path in old - new if self._has(path)}
        if self.experiment.task != self.base.task:
            return edits | dict.fromkeys(new, AUTOMATIC)  # derived from another task
        return edits | {path: AUTOMATIC for path in new - old if path in derivable(self.base)}

    def _has(self, path: str) -> bool:
        return path in derivable(self.experiment)

    def value(self, path: str) -> Any:
        """The latest value of a setting, valid or not."""
        return self._unfit.get(path, setting_value(self.experiment, path))

    def _unfit_changes(self) -> Changes:
        old = {path: _before(self.base, self.experiment, path) for path in self._unfit}
        return {path: (old[path], new) for path, new in self._unfit.items() if old[path] != new}


def started_anew(former: Experiment, env_id: str, *, new_agent: bool) -> Experiment:
    """The former experiment on another environment, without anything that was set for the former one.

    Args:
        new_agent: the agent is the default one too, whose settings wait for the task to be measured, and only the
            settings `KEPT` stay; else network, learning and the number of environments stay.
    """
    if new_agent:
        run = msgspec.to_builtins(former.run)
        kept = {path: run[path.removeprefix("run.")] for path in KEPT}
        waiting = dict.fromkeys(TASK_RULES, AUTOMATIC)
        return settings.with_settings(settings.experiment_from({"env": {"id": env_id}}), kept | waiting)
    return settings.in_environment(former, env_id)


def difference(old: Experiment, new: Experiment) -> Changes:
    """The settings that differ, as (old, new) plain data; of a new module only non-default options."""
    found: Changes = {}
    for field in settings.experiment_fields():
        if field.path in _OPTIONS:
            continue
        before, after = _plain(old, field.path), _plain(new, field.path)
        if before != after:
            found[field.path] = (before, after)
    for slot in _SLOTS:
        for field in settings.options_fields(slot, getattr(new.net, slot)):  # type: ignore[arg-type]
            before, after = _before(old, new, field.path), _plain(new, field.path)
            if before != after:
                found[field.path] = (before, after)
    return found


def _before(old: Experiment, new: Experiment, path: str) -> Any:
    """The old value of a setting; for an option of a newly chosen module, its default."""
    for slot in _SLOTS:
        if path.startswith(f"net.{slot}_options.") and getattr(old.net, slot) != getattr(new.net, slot):
            fields = settings.options_fields(slot, getattr(new.net, slot))  # type: ignore[arg-type]
            return next((msgspec.to_builtins(field.default) for field in fields if field.path == path), None)
    return _plain(old, path)


def _plain(experiment: Experiment, path: str) -> Any:
    node: Any = experiment
    for name in path.split("."):
        node = node.get(name) if isinstance(node, dict) else getattr(node, name, None)
    return msgspec.to_builtins(node)
