"""Interventions: changes to what an agent observes, remembers, attends to or does at a step of an episode."""

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
from dqngui.messages import BeginEpisode, Intervention
from dqngui.nets.memory.contract import State, StateView
from dqngui.nets.record import ViewSpec, WeightChange

ACTION, OBSERVATION = "action", "observation"
NO_WEIGHT_CHANGES: Mapping[str, WeightChange] = {}


class Interventions:
    """The interventions in one episode. Several of them on the same numbers are applied in their order.

    At a step without an intervention of its kind, each method returns the object that it was given, not a copy.
    """

    def __init__(self, interventions: Sequence[Intervention], agent: LoadedAgent) -> None:
        """Raises ConfigError for an unknown target, a place out of range, or a value that is not possible there."""
        self._spaces = agent.spaces
        self._actions: list[Intervention] = []
        self._observation: list[_MaskedIntervention] = []
        self._state: list[tuple[StateView, _MaskedIntervention]] = []
        self._weights: list[tuple[str, _MaskedIntervention]] = []
        if not interventions:
            return
        state_views = agent.network.state_views()
        weights = agent.weights
        shapes = {view.name: (view.axes, view.shape) for view in agent.views()}
        for intervention in interventions:
            _check_steps(intervention)
            if intervention.target == ACTION:
                check_action(intervention.value, agent.spaces)
                if intervention.do != "set" or intervention.at:
                    raise ConfigError("change.action_places")
                self._actions.append(intervention)
            elif intervention.target == OBSERVATION:
                self._observation.append(_on_observation(intervention, agent))
            else:
                for name in _matching_targets(intervention.target, [*state_views, *weights], list(shapes)):
                    masked = _MaskedIntervention(intervention, _mask(intervention, name, *shapes[name]))
                    if name in weights:
                        self._weights.append((name, masked))
                    else:
                        self._state.append((state_views[name], masked))

    def action(self, t: int) -> int | None:
        """The action that is forced at step t; None if the agent chooses."""
        forced = [int(intervention.value) for intervention in self._actions if _at_step(intervention, t)]
        return forced[-1] if forced else None

    def observation(self, t: int, parts: Parts) -> Parts:
        """The observation with the interventions of step t, parts (1, F) each."""
        interventions = [intervention for intervention in self._observation if intervention.at(t)]
        if not interventions:
            return parts
        parts, first = dict(parts), 0
        for part in _parts_of_numbers(self._spaces):
            values = torch.from_numpy(parts[part.name].astype(np.float64))
            limits = torch.from_numpy(largest_values(part))
            places = slice(first, first := first + len(limits))
            for intervention in interventions:
                values = intervention.on(values, places=intervention.places[places])
            if not np.issubdtype(part.dtype, np.floating):
                values = values.round().clamp(min=0).minimum(limits)
            touched = torch.stack([intervention.places[places] for intervention in interventions]).any(0).numpy()
            parts[part.name] = np.where(touched, values.numpy().astype(part.dtype), parts[part.name])
        return parts

    def state(self, t: int, state: State) -> State:
        """The network's state before step t with the interventions of that step."""
        for view, intervention in self._state:
            if intervention.at(t):
                state = view.put(intervention.on(view.of(state)), state)
        return state

    def weights(self, t: int) -> Mapping[str, WeightChange]:
        """`Record.changes` of step t: functions from weights to changed weights, by the name of their view."""
        interventions: dict[str, list[_MaskedIntervention]] = {}
        for name, intervention in self._weights:
            if intervention.at(t):
                interventions.setdefault(name, []).append(intervention)
        if not interventions:
            return NO_WEIGHT_CHANGES
        return {name: partial(_apply_in_order, each) for name, each in interventions.items()}


def check_request(request: BeginEpisode, agent: LoadedAgent) -> None:
    """Raises ConfigError for an episode whose actions or interventions are not possible with this agent."""
    for action in set(request.actions):
        check_action(action, agent.spaces)
    Interventions(request.interventions, agent)


class NotLegal(ConfigError):
    """An action was chosen that the environment does not allow at this step."""


def allowed(action: int, legal: np.ndarray | None, spaces: Spaces) -> bool:
    """Whether an action is among the `legal` ones (A,), or its options among theirs; None: all are."""
    if legal is None:
        return True
    several = spaces.several
    return bool(legal[action] if several is None else several.allows(action, legal))


def check_legal(action: int, step: int, legal: np.ndarray | None, spaces: Spaces) -> None:
    """Raises NotLegal for an action that is not among the `legal` ones (A,) of a step; None: all are."""
    if allowed(action, legal, spaces) or legal is None:
        return
    if (several := spaces.several) is not None:
        said = [str(option) for option in several.split(action).tolist()]
        raise NotLegal("change.option_not_legal", options=said, step=step)
    names = spaces.action_names
    said = [f"{index} {names[index]}" if names else str(index) for index in (action, *np.flatnonzero(legal).tolist())]
    raise NotLegal("change.not_legal", action=said[0], step=step, allowed=said[1:21])


def check_action(action: float, spaces: Spaces) -> None:
    """Raises ConfigError for a number that is not an action."""
    if action not in range(spaces.actions):
        named = [f"{number} {name}" for number, name in enumerate(spaces.action_names[:20])]
        if not named:
            raise ConfigError("change.no_action", action=action, last=spaces.actions - 1)
        raise ConfigError("change.no_action_named", action=action, last=spaces.actions - 1, names=named)


def removing_by_row(
    views: Sequence[ViewSpec], pattern: str, gone: Tensor, one: tuple[int, int] | None = None
) -> dict[str, WeightChange]:
    """`Record.changes` that remove places from weights, other places for each row of a batch.

    Args:
        views: of the network.
        pattern: of names of views of weights; if it fits several, their last axes must be alike.
        gone: (B, n) bool, which places along the views' last axis are removed from row b; the rest of each row grows
            in proportion.
        one: an axis of the views and an index on it, such as that of one head: only there they are removed.

    Raises ConfigError where no view of weights fits.
    """
    weights = [spec.name for spec in views if spec.weights]
    names = _matching_targets(pattern, weights, [spec.name for spec in views])
    return {name: partial(_without_places_by_row, gone=gone, one=one) for name in names}


def without_places(weights: Tensor, gone: Tensor) -> Tensor:
    """Weights (..., n) without the places where `gone`, a bool tensor that broadcasts to them, is true.

    The other weights of a row grow in proportion until the row's sum is what it was. A row without other weights
    becomes zeros; a row from which nothing is removed stays as it is.
    """
    kept = weights.clone().masked_fill_(gone, 0.0)
    total, rest = weights.sum(-1, keepdim=True), kept.sum(-1, keepdim=True)
    return kept.mul_(torch.where(rest > torch.finfo(rest.dtype).tiny, total / rest, 0.0))


def largest_values(part: ObservationPart) -> np.ndarray:
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
class _MaskedIntervention:
    """An intervention in one array; `places` (bool, the array's shape without the batch) is true where it applies."""

    intervention: Intervention
    places: Tensor

    def at(self, t: int) -> bool:
        return _at_step(self.intervention, t)

    def on(self, values: Tensor, weights: bool = False, places: Tensor | None = None) -> Tensor:
        """The values (B, ...) after the intervention; of `weights` what is left of a row grows in proportion."""
        places = self.places if places is None else places
        match self.intervention.do:
            case "set":
                return values.clone().masked_fill_(places, self.intervention.value)
            case "scale":
                factors = torch.ones(places.shape, dtype=values.dtype).masked_fill_(places, self.intervention.value)
                return values.clone().mul_(factors)
        return without_places(values, places) if weights else values.clone().masked_fill_(places, 0.0)


def _apply_in_order(interventions: Sequence[_MaskedIntervention], weights: Tensor) -> Tensor:
    for intervention in interventions:
        weights = intervention.on(weights, weights=True)
    return weights


def _without_places_by_row(weights: Tensor, gone: Tensor, one: tuple[int, int] | None) -> Tensor:
    gone = gone.view(len(gone), *[1] * (weights.ndim - 2), -1)
    if one is not None:
        axis, index = one
        shape = [1] * weights.ndim
        shape[1 + axis] = weights.shape[1 + axis]
        gone = gone & (torch.arange(shape[1 + axis]) == index).view(shape)
    return without_places(weights, gone)


def _at_step(intervention: Intervention, t: int) -> bool:
    return intervention.first <= t and (intervention.last is None or t <= intervention.last)


def _check_steps(intervention: Intervention) -> None:
    if intervention.first < 0 or (intervention.last is not None and intervention.last < intervention.first):
        raise ConfigError(
            "change.no_steps", target=intervention.target, first=intervention.first, last=intervention.last
        )
    if not math.isfinite(intervention.value):
        raise ConfigError("change.no_number", target=intervention.target, value=intervention.value)


def _matching_targets(pattern: str, names: Sequence[str], shown: Sequence[str]) -> list[str]:
    """The names that fit the pattern. Raises ConfigError if none does; `shown` are those of all views."""
    found = [name for name in names if fnmatchcase(name, pattern)]
    if found:
        return found
    known = [ACTION, OBSERVATION, *sorted(names)]
    if any(fnmatchcase(name, pattern) for name in shown):
        raise ConfigError("change.without_effect", pattern=pattern, known=known)
    raise ConfigError("change.unknown", pattern=pattern, known=known)


def _mask(intervention: Intervention, name: str, axes: Sequence[str], shape: Sequence[int]) -> Tensor:
    """True at the places that are changed, bool of this shape. Raises ConfigError."""
    if len(intervention.at) > len(shape):
        raise ConfigError("change.axes", name=name, count=len(shape), axes=axes, given=len(intervention.at))
    places = torch.ones(tuple(shape), dtype=torch.bool)
    for dim, chosen in enumerate(reversed(intervention.at), 1):  # fewer places than axes are of the last ones
        size = shape[-dim]
        if not chosen:
            continue
        if outside := [each for each in chosen if not 0 <= each < size]:
            raise ConfigError("change.no_place", name=name, axis=axes[-dim], place=outside[0], last=size - 1)
        line = torch.zeros(size, dtype=torch.bool)
        line[list(chosen)] = True
        places &= line.view(-1, *[1] * (dim - 1))
    return places


def _parts_of_numbers(spaces: Spaces) -> list[ObservationPart]:
    """The parts of an observation that are numbers, in the order of `LoadedAgent.numbers`."""
    return [part for part in spaces.parts if part.kind != "text"]


def _on_observation(intervention: Intervention, agent: LoadedAgent) -> _MaskedIntervention:
    if not agent.features:
        raise ConfigError("change.no_entries")
    places = _mask(intervention, OBSERVATION, ("entry",), (len(agent.features),))
    parts = _parts_of_numbers(agent.spaces)
    limits = np.concatenate([largest_values(part) for part in parts])
    if intervention.do == "set":
        for entry in np.flatnonzero(places.numpy() & np.isfinite(limits)):
            if not (intervention.value.is_integer() and 0 <= intervention.value <= limits[entry]):
                name, most = agent.features[entry], limits[entry]
                raise ConfigError("change.out_of_range", name=name, value=intervention.value, most=most)
    return _MaskedIntervention(intervention, places)
