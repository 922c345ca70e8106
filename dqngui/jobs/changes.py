"""Hands laid on an episode: `Change`s made into what a step sees, what is carried into it, what it weighs and does."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial

import numpy as np
import torch
from torch import Tensor

from dqngui.config import ConfigError
from dqngui.envs.spaces import ObservationPart, Spaces
from dqngui.envs.vector import Parts
from dqngui.jobs.agent import LoadedAgent
from dqngui.messages import BeginEpisode, Change
from dqngui.nets.memory.contract import Held, State
from dqngui.nets.record import Changing, ViewSpec

ACTION, OBSERVATION = "action", "observation"
NO_CHANGES: Mapping[str, Changing] = {}


class Changes:
    """The changes of one episode. Several at one place are made one after another.

    All methods give back what they were given, the very same objects, at steps at which nothing of theirs is changed.
    """

    def __init__(self, changes: Sequence[Change], agent: LoadedAgent) -> None:
        """Raises ConfigError for a target that there is not, a place out of range, or a value that cannot be."""
        self._spaces = agent.spaces
        self._actions: list[Change] = []
        self._seen: list[_Hand] = []
        self._held: list[tuple[Held, _Hand]] = []
        self._weights: list[tuple[str, _Hand]] = []
        if not changes:
            return
        held = agent.network.held()
        weights = agent.weights
        shapes = {view.name: (view.axes, view.shape) for view in agent.views()}
        for change in changes:
            _check_steps(change)
            if change.target == ACTION:
                check_action(change.value, agent.spaces)
                if change.do != "set" or change.at:
                    raise ConfigError("change.action_places")
                self._actions.append(change)
            elif change.target == OBSERVATION:
                self._seen.append(_hand_on_observation(change, agent))
            else:
                for name in _changeable(change.target, [*held, *weights], list(shapes)):
                    hand = _Hand(change, _places(change, name, *shapes[name]))
                    if name in weights:
                        self._weights.append((name, hand))
                    else:
                        self._held.append((held[name], hand))

    def action(self, t: int) -> int | None:
        """What is done at step t, whatever the agent says; None: nothing is forced."""
        forced = [int(change.value) for change in self._actions if _at_step(change, t)]
        return forced[-1] if forced else None

    def observation(self, t: int, parts: Parts) -> Parts:
        """What the agent sees of an observation, parts (1, F) each."""
        hands = [hand for hand in self._seen if hand.at(t)]
        if not hands:
            return parts
        parts, first = dict(parts), 0
        for part in _numbered(self._spaces):
            values, limits = torch.from_numpy(parts[part.name].astype(np.float64)), torch.from_numpy(largest(part))
            places = slice(first, first := first + len(limits))
            for hand in hands:
                values = hand.on(values, places=hand.places[places])
            if not np.issubdtype(part.dtype, np.floating):
                values = values.round().clamp(min=0).minimum(limits)
            touched = torch.stack([hand.places[places] for hand in hands]).any(0).numpy()
            parts[part.name] = np.where(touched, values.numpy().astype(part.dtype), parts[part.name])
        return parts

    def state(self, t: int, state: State) -> State:
        """What is carried into step t."""
        for held, hand in self._held:
            if hand.at(t):
                state = held.put(hand.on(held.of(state)), state)
        return state

    def weights(self, t: int) -> Mapping[str, Changing]:
        """`Record.changes` of step t."""
        hands: dict[str, list[_Hand]] = {}
        for name, hand in self._weights:
            if hand.at(t):
                hands.setdefault(name, []).append(hand)
        return {name: partial(_one_after_another, each) for name, each in hands.items()} if hands else NO_CHANGES


def check_asked(asked: BeginEpisode, agent: LoadedAgent) -> None:
    """Raises ConfigError where an episode cannot be played as it is asked for."""
    for action in set(asked.actions):
        check_action(action, agent.spaces)
    Changes(asked.changes, agent)


def check_action(action: float, spaces: Spaces) -> None:
    """Raises ConfigError for what is no action."""
    if action not in range(spaces.actions):
        named = [f"{number} {name}" for number, name in enumerate(spaces.action_names[:20])]
        if not named:
            raise ConfigError("change.no_action", action=action, last=spaces.actions - 1)
        raise ConfigError("change.no_action_named", action=action, last=spaces.actions - 1, names=named)


def removing(views: Sequence[ViewSpec], pattern: str, gone: Tensor) -> dict[str, Changing]:
    """`Record.changes` that remove other places from each row of a batch.

    Args:
        views: of the network.
        pattern: of names of views of weights; where it fits several, their last axes are alike.
        gone: (B, n) bool, which places along the views' last axis are removed from row b; the rest of each row grows
            in proportion.

    Raises ConfigError where no view of weights fits.
    """
    weights = [spec.name for spec in views if spec.weights]
    names = _changeable(pattern, weights, [spec.name for spec in views])
    return {name: partial(_without_by_row, gone=gone) for name in names}


def without(weights: Tensor, gone: Tensor) -> Tensor:
    """Weights (..., n) without the places that are gone, a bool tensor that broadcasts to them.

    The rest of a row grows in proportion until the row's sum is what it was; a row without a rest becomes zeros, a row
    of which nothing is gone stays as it is.
    """
    kept = weights.clone().masked_fill_(gone, 0.0)
    total, rest = weights.sum(-1, keepdim=True), kept.sum(-1, keepdim=True)
    return kept.mul_(torch.where(rest > torch.finfo(rest.dtype).tiny, total / rest, 0.0))


def largest(part: ObservationPart) -> np.ndarray:
    """The largest number that each entry of an observation's part can hold, (F,) float64."""
    size = math.prod(part.shape)
    if part.kind == "discrete":
        return np.array(part.sizes, np.float64) - 1
    if part.kind == "grid":
        channels = [length if axis in "nc" else 1 for axis, length in zip(part.axes, part.raw_shape, strict=True)]
        return np.broadcast_to(np.reshape(part.sizes, channels), part.raw_shape).reshape(size).astype(np.float64) - 1
    if np.issubdtype(part.dtype, np.floating):
        return np.full(size, np.inf)
    return np.full(size, float(np.iinfo(part.dtype).max))


@dataclass(frozen=True, slots=True, eq=False)
class _Hand:
    """One change of one array; `places` is true where it is changed, and has the array's shape behind the batch."""

    change: Change
    places: Tensor

    def at(self, t: int) -> bool:
        return _at_step(self.change, t)

    def on(self, values: Tensor, weights: bool = False, places: Tensor | None = None) -> Tensor:
        """Values (B, ...) as they are changed."""
        places = self.places if places is None else places
        match self.change.do:
            case "set":
                return values.clone().masked_fill_(places, self.change.value)
            case "scale":
                factors = torch.ones(places.shape, dtype=values.dtype).masked_fill_(places, self.change.value)
                return values.clone().mul_(factors)
        return without(values, places) if weights else values.clone().masked_fill_(places, 0.0)


def _one_after_another(hands: Sequence[_Hand], weights: Tensor) -> Tensor:
    for hand in hands:
        weights = hand.on(weights, weights=True)
    return weights


def _without_by_row(weights: Tensor, gone: Tensor) -> Tensor:
    return without(weights, gone.view(len(gone), *[1] * (weights.ndim - 2), -1))


def _at_step(change: Change, t: int) -> bool:
    return change.first <= t and (change.last is None or t <= change.last)


def _check_steps(change: Change) -> None:
    if change.first < 0 or (change.last is not None and change.last < change.first):
        raise ConfigError("change.no_steps", target=change.target, first=change.first, last=change.last)
    if not math.isfinite(change.value):
        raise ConfigError("change.no_number", target=change.target, value=change.value)


def _changeable(pattern: str, names: Sequence[str], shown: Sequence[str]) -> list[str]:
    """Names that fit. Raises ConfigError where none does."""
    found = [name for name in names if fnmatchcase(name, pattern)]
    if found:
        return found
    known = [ACTION, OBSERVATION, *sorted(names)]
    if any(fnmatchcase(name, pattern) for name in shown):
        raise ConfigError("change.without_effect", pattern=pattern, known=known)
    raise ConfigError("change.unknown", pattern=pattern, known=known)


def _places(change: Change, name: str, axes: Sequence[str], shape: Sequence[int]) -> Tensor:
    """Which places are changed, bool in the shape. Raises ConfigError."""
    if len(change.at) > len(shape):
        raise ConfigError("change.axes", name=name, count=len(shape), axes=axes, given=len(change.at))
    places = torch.ones(tuple(shape), dtype=torch.bool)
    for dim, chosen in enumerate(reversed(change.at), 1):  # fewer places than axes are of the last ones
        size = shape[-dim]
        if not chosen:
            continue
        if outside := [each for each in chosen if not 0 <= each < size]:
            raise ConfigError("change.no_place", name=name, axis=axes[-dim], place=outside[0], last=size - 1)
        line = torch.zeros(size, dtype=torch.bool)
        line[list(chosen)] = True
        places &= line.view(-1, *[1] * (dim - 1))
    return places


def _numbered(spaces: Spaces) -> list[ObservationPart]:
    """Parts in the order of `LoadedAgent.numbers`."""
    return [part for part in spaces.parts if part.kind != "text"]


def _hand_on_observation(change: Change, agent: LoadedAgent) -> _Hand:
    if not agent.features:
        raise ConfigError("change.no_entries")
    places = _places(change, OBSERVATION, ("entry",), (len(agent.features),))
    parts = _numbered(agent.spaces)
    limits = np.concatenate([largest(part) for part in parts])
    if change.do == "set":
        for entry in np.flatnonzero(places.numpy() & np.isfinite(limits)):
            if not (change.value.is_integer() and 0 <= change.value <= limits[entry]):
                name, most = agent.features[entry], limits[entry]
                raise ConfigError("change.out_of_range", name=name, value=change.value, most=most)
    return _Hand(change, places)
