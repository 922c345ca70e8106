"""The border to an environment: what it returns is compared with its spaces, and its exceptions become faults.

`Border` is the wrapper directly around an environment, so all wrappers above it get what the spaces promise. What is
unambiguous is taken: a reward of one element, whole numbers as floats, a list for an array, axes of length 1. The rest
raises `EnvironmentFault`. The usual return costs about half a microsecond.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NoReturn

import gymnasium
import numpy as np
from gymnasium import spaces as gym_spaces
from gymnasium.wrappers import OrderEnforcing, TimeLimit

from dqngui.config import EnvConfig
from dqngui.envs.faults import EnvironmentFault, raised
from dqngui.envs.interrupt import is_users
from dqngui.envs.observed import Odd, found, observer, short, signature
from dqngui.texts import Text, say

Env = gymnasium.Env[Any, Any]
SPACES = ("observation_space", "action_space")
_GYMNASIUMS = (OrderEnforcing, TimeLimit)  # the wrappers that `gymnasium.make` adds


def with_border(env: Env, name: str) -> Env:
    """The environment of `gymnasium.make` with borders inside gymnasium's own wrappers, and around those of its
    registration.

    Raises EnvironmentFault if its spaces are no spaces of gymnasium.
    """
    check_spaces(env, name)
    outermost: Env | None = env
    while outermost is not None and type(outermost) not in _GYMNASIUMS:
        outermost = outermost.env if isinstance(outermost, gymnasium.Wrapper) else None
    inmost = outermost
    while isinstance(inmost, gymnasium.Wrapper) and type(inmost.env) in _GYMNASIUMS:
        inmost = inmost.env
    if isinstance(inmost, gymnasium.Wrapper):
        inmost.env = Border(inmost.env, name)
    return env if env is outermost else Border(env, name)


def check_spaces(env: Env, name: str) -> None:
    """Raises EnvironmentFault if an environment has no observation space or action space of gymnasium."""
    for attribute in SPACES:
        try:
            space = getattr(env, attribute)
        except AttributeError:
            space = None
        except Exception as error:
            raise raised(name, error) from error
        if isinstance(space, gym_spaces.Space):
            continue
        if any(each.__module__.partition(".")[0] == "gym" for each in type(space).__mro__):
            raise EnvironmentFault(say("fault.old_space", name=name, attribute=attribute))
        if space is None:
            raise EnvironmentFault(say("fault.no_space", name=name, attribute=attribute))
        raise EnvironmentFault(say("fault.odd_space", name=name, attribute=attribute, found=found(space)))


def check_alike(env: Env, first: Env, config: EnvConfig) -> None:
    """Raises EnvironmentFault if two environments differ in the shapes, types or counts of their spaces."""
    for attribute in SPACES:
        spaces = [getattr(each, attribute) for each in (env, first)]
        if env is not first and signature(spaces[0]) != signature(spaces[1]):
            name, given, other = config.id.rpartition(":")[2], *map(short, spaces)
            raise EnvironmentFault(say("fault.copies_differ", name=name, given=given, first=other))


class Border(gymnasium.Wrapper[Any, Any, Any, Any]):
    """The wrapper that checks what an environment returns, and that turns its exceptions into `EnvironmentFault`."""

    def __init__(self, env: Env, name: str) -> None:
        super().__init__(env)
        self._name = name
        self._space = env.observation_space
        self._taken = observer(self._space)
        self._more: dict[str, Any] = {"options": None}  # arguments of reset that it takes beside the seed

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        result: Any = self._reset(seed, options)
        if not (isinstance(result, (tuple, list)) and len(result) == 2 and _is_info(result[1])):
            raise self._fault("fault.reset", found=found(result))
        return self._observed(result[0]), result[1] or {}

    def _reset(self, seed: int | None, options: dict[str, Any] | None) -> Any:
        more = {"options": options} if self._more else {}
        try:
            return self.env.reset(seed=seed, **more)
        except TypeError as error:
            if _is_raised_inside(error) or "argument" not in str(error):
                raise raised(self._name, error) from error
        except BaseException as error:
            self._pass_on(error)
        if not self._more:
            raise self._fault("fault.reset_seed")
        self._more = {}  # the call itself was refused: some take a seed alone
        return self._reset(seed, options)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        result: Any
        try:
            result = self.env.step(action)
        except BaseException as error:
            self._pass_on(error)
        if type(result) is not tuple or len(result) != 5:
            result = self._five(result)
        observation, reward, terminated, truncated, info = result
        if type(reward) is not float:
            reward = self._reward(reward)
        if type(terminated) is not bool or type(truncated) is not bool:
            terminated = self._flag("terminated", terminated)
            truncated = self._flag("truncated", truncated)
        if type(info) is not dict:
            info = self._info(info)
        return self._observed(observation), reward, terminated, truncated, info

    def render(self) -> Any:
        try:
            return self.env.render()
        except BaseException as error:
            self._pass_on(error)

    def close(self) -> None:
        """Close the environment; what it raises then harms nobody, since it is not used any more."""
        try:
            self.env.close()
        except BaseException as error:
            if is_users(error):
                raise

    # -- what is not as usual ---------------------------------------------------------------------

    def _observed(self, observation: Any) -> Any:
        try:
            return self._taken(observation)
        except Odd as odd:
            if odd.part:
                space = short(odd.space)
                raise self._fault("fault.observed_part", found=odd.found, part=odd.part, space=space) from None
            raise self._fault("fault.observed", found=odd.found, space=short(odd.space)) from None
        except Exception as error:  # an observation of another package, which cannot even be looked at
            raise raised(self._name, error) from error

    def _pass_on(self, error: BaseException) -> NoReturn:
        """Raise what came out of the environment: its fault, also a KeyboardInterrupt or GeneratorExit of its own."""
        if is_users(error):
            raise error
        raise raised(self._name, error) from error

    def _five(self, result: Any) -> Any:
        if not isinstance(result, (tuple, list)):
            raise self._fault("fault.step", found=found(result))
        if len(result) == 4:
            raise self._fault("fault.old_step")
        if len(result) != 5:
            raise self._fault("fault.step_count", count=len(result))
        return result

    def _reward(self, reward: Any) -> float:
        if isinstance(reward, (float, int, np.floating, np.integer, np.bool_)):
            try:
                return float(reward)
            except OverflowError:
                return math.inf if reward > 0 else -math.inf
        number = reward
        for _ in range(3):  # an array in a list, at most
            if not isinstance(number, (str, bytes)) and hasattr(number, "__len__") and _length(number) == 1:
                number = next(iter(number))
        if isinstance(number, (str, bytes)) or number is None or (hasattr(number, "__len__") and _length(number) >= 0):
            raise self._fault("fault.reward", found=found(reward))
        try:
            return float(number)
        except (Exception, SystemExit):
            raise self._fault("fault.reward", found=found(reward)) from None

    def _flag(self, which: str, flag: Any) -> bool:
        if isinstance(flag, np.bool_):
            return bool(flag)
        try:
            if flag is not None and not isinstance(flag, (str, bytes, Mapping)):
                if _length(flag) == 1:
                    flag = next(iter(flag))
                if float(flag) in (0.0, 1.0):
                    return bool(flag)
        except Exception:
            pass
        raise self._fault("fault.flag", which=which, found=found(flag))

    def _info(self, info: Any) -> dict[str, Any]:
        if not _is_info(info):
            raise self._fault("fault.info", found=found(info))
        return dict(info) if info else {}

    def _fault(self, key: str, **args: Any) -> EnvironmentFault:
        text: Text = say(key, name=self._name, **args)
        return EnvironmentFault(text)


def _is_info(info: Any) -> bool:
    return info is None or isinstance(info, Mapping)


def _is_raised_inside(error: BaseException) -> bool:
    """Whether an exception comes from inside the call, and not from the call itself."""
    trace = error.__traceback__
    depth = 0
    while trace is not None:
        depth, trace = depth + 1, trace.tb_next
    return depth > 1


def _length(value: Any) -> int:
    """The length of something; -1 if it has none."""
    try:
        return len(value)
    except TypeError:
        return -1


def frame_rate(env: Env, usual: float) -> float:
    """Pictures per second that an environment states; `usual` if it states none that can be shown."""
    try:
        rate = float(env.metadata.get("render_fps") or usual)
    except Exception:
        return usual
    return rate if math.isfinite(rate) and 0.1 <= rate <= 1000 else usual


def render_modes(env: Env) -> tuple[Any, ...]:
    """The render modes that an environment states."""
    try:
        return tuple(env.metadata.get("render_modes") or ())
    except Exception:
        return ()
