"""Puts the wrappers of a configuration around an environment; the error of one that does not fit says what would."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import msgspec

from dqngui import catalog
from dqngui.config import ConfigError, EnvConfig, Wrapper
from dqngui.envs.actions import as_one_choice
from dqngui.envs.missing_wrappers import missing_wrappers, unfit_names
from dqngui.envs.spaces import spaces_of
from dqngui.envs.suggested_wrappers import UnfitWrapper, with_option, wrappers_data
from dqngui.settings import no_such_choice
from dqngui.texts import say

Env = gymnasium.Env[Any, Any]


def wrapped(env: Env, wrappers: Sequence[Wrapper], config: EnvConfig) -> Env:
    """The environment with these wrappers, innermost first.

    Args:
        config: of the environment, for its chosen names.

    Raises ConfigError, and closes the environment, where one does not fit.
    """
    for index, wrapper in enumerate(wrappers):
        path = f"env.wrappers[{index}]"
        try:
            env = _with(env, wrapper, path)
        except UnfitWrapper as error:
            refused = ConfigError("wrapper.refused", path=path, name=wrapper.name, problem=error)
            fitting = None
            if error.instead is not None:
                fitting = _fitting(env, wrappers[:index], (*error.instead, *wrappers[index + 1 :]), config)
            env.close()
            raise (refused if fitting is None else with_option(refused, fitting)) from None
        except ConfigError:
            env.close()
            raise
    return env


def as_discrete(env: Env) -> Env:
    """The environment with its discrete actions as one choice. Raises ConfigError, and closes it, for too many."""
    try:
        return as_one_choice(env)
    except ConfigError:
        env.close()
        raise


def _with(env: Env, wrapper: Wrapper, path: str) -> Env:
    entry = catalog.WRAPPERS.get(wrapper.name)
    if entry is None:
        raise no_such_choice(f"{path}.name", say("choice.wrapper"), wrapper.name, catalog.WRAPPERS)
    try:
        inner: Env = catalog.load(entry)(env, msgspec.convert(wrapper.options, entry.options))
    except msgspec.ValidationError as error:
        raise ConfigError("setting.refused", path=f"{path}.options", reason=error) from None
    except UnfitWrapper:
        raise
    except ConfigError as error:
        raise ConfigError("wrapper.refused", path=path, name=wrapper.name, problem=error) from None
    return inner


def _fitting(
    env: Env, done: Sequence[Wrapper], wrappers: Sequence[Wrapper], config: EnvConfig
) -> dict[str, Any] | None:
    """Settings with the wrappers `done`, which `env` has, and with the others, changed and completed so that an agent
    can use the environment; None if these are not known.
    """
    done, waiting = list(done), list(wrappers)
    try:
        while waiting:
            try:
                env = _with(env, waiting[0], "")
                done.append(waiting.pop(0))
            except UnfitWrapper as error:
                if error.instead is None:
                    return None
                waiting[:1] = error.instead
        for wrapper in missing_wrappers(env):
            env = _with(env, wrapper, "")
            done.append(wrapper)
        spaces = spaces_of(as_one_choice(env), EnvConfig())
    except ConfigError:
        return None
    features = sum(part.named_numbers for part in spaces.parts)
    return {"env.wrappers": wrappers_data(done), **unfit_names(config, features, spaces.actions)}
