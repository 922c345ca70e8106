"""Makes a checked experiment from the arguments, before anything is started or written."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dqngui.bounded import found
from dqngui.commands.arguments import COMMANDS as COMMAND_NAMES
from dqngui.commands.arguments import TrainArguments, shown_path
from dqngui.commands.trial import default_experiment, with_task_measured
from dqngui.config import ConfigError, Experiment
from dqngui.messages import COMMANDS, BreakpointsSet, KnobChanged, SetBreakpoints, SetKnob
from dqngui.presets import preset_names, read_agent, read_experiment, with_agent
from dqngui.settings import checked_env, experiment_from, in_environment, parse_assignments, with_settings
from dqngui.texts import Text, say

DEFAULT_PRESET = "cartpole-positions"
Tell = Callable[[Text], None]
"""Takes what the user is told; a command that may still refuse the experiment tells it later."""


def tell_now(text: Text) -> None:
    """Write a line to standard error."""
    print(text, file=sys.stderr)


def chosen_experiment(
    file: str | None,
    env: str | None,
    assignments: Sequence[str],
    overrides: dict[str, Any] | None = None,
    *,
    agent: str | None = None,
    tell: Tell = tell_now,
) -> Experiment:
    """The experiment of FILE or `--env ID` with `--agent`, `--set` and then `overrides` applied (None: not given).

    With `--env`, wrappers that the environment needs are added if `--set` chooses none. Raises ConfigError.
    """
    if file is not None and env is not None:
        raise ConfigError("command.both")
    changes = parse_assignments(list(assignments))
    changes |= {path: value for path, value in (overrides or {}).items() if value is not None}
    if env is None:
        return _changed(_read(file or DEFAULT_PRESET), agent, changes, tell)
    task = {path: value for path, value in changes.items() if path.startswith("env.")}
    tried = with_settings(experiment_from({}), {"env.id": env, **task}, check=False)
    length = {path: value for path, value in changes.items() if path == "run.total_steps"}
    usual = with_settings(default_experiment(checked_env(tried.env)), length)
    others = {path: value for path, value in changes.items() if path not in task}
    return with_settings(_with_agent(usual, agent), others)


def _changed(experiment: Experiment, agent: str | None, changes: dict[str, Any], tell: Tell) -> Experiment:
    """A copy with another agent (None: the same) and other settings; another environment starts from clean settings for
    it, as in the window, and the user is told what is left out. Raises ConfigError.
    """
    env_id = changes.get("env.id")
    if isinstance(env_id, str) and env_id != experiment.env.id:
        former, experiment = experiment.env, in_environment(experiment, env_id)
        paths = [f"env.{name}" for name in former.__struct_fields__ if name != "id"]
        left = [path for path in paths if getattr(former, path[4:]) != getattr(experiment.env, path[4:])]
        left = [path for path in left if not any(f"{each}.".startswith(f"{path}.") for each in changes)]
        if left:
            tell(say("shown.left_out", paths=left, former=former.id, env=env_id))
    return with_settings(_with_agent(experiment, agent), changes)


def _with_agent(experiment: Experiment, agent: str | None) -> Experiment:
    return experiment if agent is None else with_agent(experiment, read_agent(agent))


def _read(file: str) -> Experiment:
    if _names_environment(file):
        raise ConfigError("command.env", name=file)
    if file.isalpha() and not found(Path.exists, Path(file)) and file not in preset_names():
        raise ConfigError("command.none", name=file, commands=COMMAND_NAMES, presets=preset_names())
    experiment = read_experiment(file)
    if Path(file).name == "experiment.toml":  # of a stored run, which may be anybody's
        from dqngui.runs.trust import check_trusted

        check_trusted(Path(file).parent, experiment.env)
    return experiment


def _names_environment(file: str) -> bool:
    """Whether a FILE that is not there is the id of an environment."""
    if file.endswith(".py"):
        return True
    is_id = re.search(r"-v\d+$", file) is not None or (":" in file and not file.endswith(".toml"))
    return is_id and not found(Path.exists, Path(file))


def run_folder(run: str, runs: str) -> Path:
    """The folder of a run given by path, by its name within `runs` or a folder below, or as `last`.

    Raises ConfigError.
    """
    from dqngui.runs.nested import find_runs, run_in

    if run == "last":
        try:
            folders = [Path(folder) for folder in find_runs(Path(runs)).runs]
        except OSError:
            folders = []
        if not folders:
            raise ConfigError("command.no_run_in", runs=shown_path(runs))
        return max(folders, key=_changed_at)
    if found(Path.is_dir, Path(run)):
        return Path(run)
    folders = run_in(Path(runs), run)
    if len(folders) > 1:
        places = [each.relative_to(runs).as_posix() for each in folders]
        raise ConfigError("command.many_runs", run=run, runs=shown_path(runs), places=places)
    if folders:
        return folders[0]
    raise ConfigError("command.no_run", run=run, runs=shown_path(runs))


def _changed_at(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:  # it has just been moved
        return 0.0


def stored_run(run: str, runs: str, *, trust: bool) -> Path:
    """The folder of a run whose environment will be made, as `run_folder`; `trust`: the user trusts it from now on.

    Raises ConfigError, also if the user has to trust it first.
    """
    from dqngui.runs.folder import trusted_experiment
    from dqngui.runs.trust import trust as remember

    folder = run_folder(run, runs)
    if trust:
        remember(folder)
    trusted_experiment(folder)
    return folder


def experiment_of(arguments: TrainArguments, tell: Tell = tell_now) -> Experiment:
    """The experiment that the arguments describe; its task is measured where settings are derived from it.

    Raises ConfigError.
    """
    if arguments.replay_knobs is not None and arguments.file is None and arguments.env is None:
        from dqngui.runs.folder import read_experiment as read_stored

        experiment = read_stored(stored_run(arguments.replay_knobs, arguments.runs, trust=arguments.trust))
        asked = _changed(experiment, arguments.agent, _changes_of(arguments), tell)
    else:
        file, env, overrides = arguments.file, arguments.env, _overrides(arguments)
        asked = chosen_experiment(file, env, arguments.set, overrides, agent=arguments.agent, tell=tell)
    return with_task_measured(asked)


def forked_experiment(arguments: TrainArguments, tell: Tell = tell_now) -> tuple[Path, Experiment]:
    """The run that `--fork` names, and the settings of its saved state, changed as the arguments say.

    Raises ConfigError.
    """
    from dqngui.jobs.branching import branch_point, check_branch, kept_whole
    from dqngui.runs.trust import check_branch_trusted, trust

    if arguments.file is not None or arguments.env is not None or arguments.replay_knobs is not None:
        raise ConfigError("command.fork_alone")
    parent = run_folder(arguments.fork or "", arguments.runs)
    step, began = branch_point(parent)
    asked = _changed(began, arguments.agent, _changes_of(arguments), tell)
    if arguments.trust:
        trust(parent)
    check_branch_trusted(parent, began.env, asked.env)
    experiment = kept_whole(began, with_task_measured(asked), step)
    check_branch(parent, step, experiment)
    return parent, experiment


def _changes_of(arguments: TrainArguments) -> dict[str, Any]:
    given = {path: value for path, value in _overrides(arguments).items() if value is not None}
    return parse_assignments(list(arguments.set)) | given


def _overrides(arguments: TrainArguments) -> dict[str, Any]:
    return {"run.total_steps": arguments.steps, "run.seed": arguments.seed, "run.stop_at": arguments.stop_at}


def knobs_of(run: str, runs: str) -> tuple[COMMANDS, ...]:
    """The knob changes and breakpoints of a stored run, as commands for the same steps. Raises ConfigError."""
    from dqngui.runs.folder import read_events

    commands: list[COMMANDS] = []
    damaged: list[Text] = []
    for event in read_events(run_folder(run, runs), damaged.append):
        if isinstance(event, KnobChanged):
            commands.append(SetKnob(field=event.field, value=event.new, at=event.step))
        elif isinstance(event, BreakpointsSet):
            commands.append(SetBreakpoints(points=event.points, at=event.step))
    if damaged:
        print(say("shown.lines_passed_over", count=len(damaged), problem=damaged[0]), file=sys.stderr)
    return tuple(commands)
