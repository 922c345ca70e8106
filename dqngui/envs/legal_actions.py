"""Legal actions: which actions an environment allows at a step, as the environment tells by a mask.

A mask has one number for each action: 1 if the action is legal, else 0. The environment gives it as `action_mask` in
the `info` of `reset` and `step` (gymnasium's Taxi), as a part `action_mask` of its observation, or by a method
`action_masks()` or `action_mask()` (sb3-contrib), looked for in this order. Where an action is several choices at once,
the masks of the choices stand side by side.

Where an environment tells nothing, all of its actions are legal. So are they at the last observation of an episode if
the mask there is absent or all zero: many environments fill it with zeros.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces as gym_spaces
from numpy.typing import NDArray

from dqngui.config import ConfigError
from dqngui.envs.actions import combined_mask
from dqngui.envs.offered_names import offered

NAMES = ("action_mask", "action_masks")
"""Names under which an environment gives its mask."""

Mask = NDArray[np.bool_]


class LegalActions:
    """The legal actions of N environments.

    Attributes:
        mask: which actions are legal now, (N, A); None until an environment has told any. It is replaced and never
            changed in place.
        gaps: an environment that had told its legal actions told none at a later step.
    """

    def __init__(
        self, envs: Sequence[gymnasium.Env[Any, Any]], name: str, actions: int, choices: tuple[int, ...] = ()
    ) -> None:
        """`name` is the task's, for sentences about it; `actions` the number of actions A.

        `choices`: the options of each of several choices whose values are learned one by one; A is their sum then.
        """
        self.mask: Mask | None = None
        self.gaps = False
        self._envs, self._name, self._actions, self._choices = envs, name, actions, choices
        self._methods = [_method_of(env) for env in envs]
        self._parts = [_part_of(env) for env in envs]
        self._told = np.zeros(len(envs), np.bool_)
        self._steps = np.zeros(len(envs), np.int64)  # of the running episodes
        self._only_infos = not any(self._methods) and not any(self._parts)

    def restore(self, mask: Mask) -> None:
        """Go on from a saved mask (N, A). Raises ValueError for another shape."""
        if mask.shape != (len(self._envs), self._actions):
            raise ValueError(f"legal actions of shape {mask.shape}, expected {(len(self._envs), self._actions)}")
        self.mask = mask.copy()

    def read(
        self,
        indices: Sequence[int],
        infos: Sequence[Mapping[str, Any]],
        observations: Iterable[Any],
        *,
        steps: int | None = None,
        ended: Collection[int] = (),
    ) -> None:
        """Read the masks of environments after a step or a reset.

        Args:
            indices: of the environments, (n,).
            infos: the last `info` of all of them, (N,).
            observations: of the n environments.
            steps: number of steps of their running episodes; None: one more than before.
            ended: indices of environments whose episodes have ended.
        """
        if steps is not None:
            self._steps[indices] = steps
        elif len(indices) == len(self._steps):
            self._steps += 1
        else:
            self._steps[indices] += 1
        if self.mask is None and self._only_infos:
            for info in infos:
                if info and (NAMES[0] in info or NAMES[1] in info):
                    break
            else:
                return  # environments without masks cost no more than this loop
        rows = [
            self._row(index, infos[index], seen, index in ended)
            for index, seen in zip(indices, observations, strict=True)
        ]
        if self.mask is None and all(row is None for row in rows):
            return
        everything = np.ones(self._actions, np.bool_)
        mask = np.ones((len(self._envs), self._actions), np.bool_) if self.mask is None else self.mask.copy()
        for index, row in zip(indices, rows, strict=True):
            mask[index] = everything if row is None else row
        self.mask = mask

    def _row(self, index: int, info: Mapping[str, Any], observation: Any, over: bool) -> Mask | None:
        """The mask (A,) of one environment; None if it tells nothing. At an episode's end nothing is an error."""
        env, name = self._envs[index], self._parts[index]
        try:
            given = next((info[each] for each in NAMES if info and info.get(each) is not None), None)
            if given is None and name is not None:
                given = observation[name]
            method = self._methods[index]
            if given is None and method is not None:
                given = method()
            step = int(self._steps[index])
            row = None if given is None else checked_mask(env, self._name, given, self._actions, step, self._choices)
        except Exception:
            if over:
                return None
            raise
        if row is None:
            self.gaps = self.gaps or bool(self._told[index] and not over)
        else:
            self._told[index] = True
        return row


def checked_mask(
    env: gymnasium.Env[Any, Any], name: str, given: Any, actions: int, step: int, choices: tuple[int, ...] = ()
) -> Mask:
    """A mask as the environment gave it, as (A,) bool.

    Raises ConfigError if it has another length, other numbers than 0 and 1, or allows no action, or no option of one of
    the `choices`; `step` is that of the episode, for the sentence.
    """
    try:
        pieces = given if isinstance(given, tuple) else (given,)  # gymnasium's own masks of MultiDiscrete are tuples
        flat = np.ravel(pieces[0]) if len(pieces) == 1 else np.concatenate([np.ravel(piece) for piece in pieces])
        numbers = flat if flat.dtype.kind in "biuf" else flat.astype(np.float64)
    except (TypeError, ValueError):
        raise ConfigError("env.mask_not_numbers", name=name, kind=type(given).__name__, step=step) from None
    legal = numbers == 1
    binary = legal | (numbers == 0)
    if not binary.all():
        raise ConfigError("env.mask_entry", name=name, value=str(flat[~binary][0]), step=step)
    mask = legal if choices else combined_mask(env, legal)
    if len(mask) != actions:
        raise ConfigError("env.mask_length", name=name, length=len(flat), actions=actions, step=step)
    if not mask.any():
        raise ConfigError("env.no_legal_action", name=name, step=step)
    for place, part in enumerate(np.split(mask, np.cumsum(choices)[:-1]) if choices else ()):
        if not part.any():
            raise ConfigError("env.no_legal_option", name=name, choice=place, step=step)
    return mask


def random_action(generator: np.random.Generator, actions: int, legal: Mask | None) -> int:
    """A random legal action, drawn evenly; `legal` (A,): None if all of them are."""
    if legal is None:
        return int(generator.integers(actions))
    return int(np.flatnonzero(legal)[generator.integers(np.count_nonzero(legal))])


def random_actions(generator: np.random.Generator, actions: int, count: int, legal: Mask | None) -> NDArray[np.int64]:
    """Random legal actions (N,) of N environments, drawn evenly; `legal` (N, A): None if all of them are."""
    if legal is None:
        return generator.integers(actions, size=count)
    place = (generator.random(count) * legal.sum(1)).astype(np.int64)  # among the legal ones of each row
    return np.asarray((legal.cumsum(1) > place[:, None]).argmax(1), np.int64)


def legal_instead(action: int, legal: Mask | None) -> int:
    """The action if it is legal, else the next legal one after it, counted round; `legal` (A,): None if all are."""
    if legal is None or legal[action]:
        return action
    return (action + int(np.roll(legal, -action).argmax())) % len(legal)


def _method_of(env: gymnasium.Env[Any, Any]) -> Callable[[], Any] | None:
    """The method that gives an environment's mask; None if it or its wrappers have none that needs no arguments."""
    for name in reversed(NAMES):
        try:
            method = offered(env, name)
            inspect.signature(method).bind()
        except Exception:  # no such attribute, one that cannot be called, or one that needs arguments (Taxi)
            continue
        return method
    return None


def _part_of(env: gymnasium.Env[Any, Any]) -> str | None:
    """The name of an observation's part that is a mask: it has one entry of 0 or 1 for each action; None: there is
    none.
    """
    space, actions = env.observation_space, env.action_space
    if not isinstance(space, gym_spaces.Dict) or not isinstance(actions, gym_spaces.Discrete):
        return None
    for name in NAMES:
        part = space.spaces.get(name)
        if part is None or part.shape != (actions.n,):
            continue
        binary = isinstance(part, gym_spaces.Box) and bool((part.low == 0).all() and (part.high == 1).all())
        if binary or isinstance(part, gym_spaces.MultiBinary):
            return name
    return None
