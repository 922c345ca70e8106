"""The contract of a learning algorithm: it acts, stores the steps, learns from them, and can be saved and restored.

`off_policy` learns from a replay of past steps, `on_policy` from a rollout of the present policy.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dqngui.config import Experiment
from dqngui.envs.legal_actions import Mask
from dqngui.envs.vector import Envs
from dqngui.learning.acting import Actor, FinishedEpisode, ObservationParts
from dqngui.learning.counters import Counters
from dqngui.learning.flat import FlatAdam, FlatParameters, ParameterLayout, in_layout
from dqngui.learning.replay_saving import GrownRows, ReplaySaving
from dqngui.learning.saved import check_like, require, require_between, require_finite
from dqngui.learning.scaling import Scaling
from dqngui.nets.trunk import Trunk
from dqngui.texts import Text


class Generators:
    """The random generators of a run, each derived from the run's seed; none is global.

    Attributes:
        exploration: chooses actions.
        sampling: chooses what an update learns from.
        parameters: draws the networks' first parameters.
    """

    def __init__(self, seed: int) -> None:
        seeds = np.random.SeedSequence(seed).spawn(3)
        self.exploration, self.sampling = (np.random.Generator(np.random.PCG64(each)) for each in seeds[:2])
        self.parameters = torch.Generator().manual_seed(int(seeds[2].generate_state(1, np.uint64)[0] >> 1))

    def states(self) -> dict[str, Any]:
        """Plain data that `restore` takes."""
        return {name: getattr(self, name).bit_generator.state for name in ("exploration", "sampling")}

    def restore(self, states: Mapping[str, Any]) -> None:
        """Continue from what `states` gave."""
        self.exploration.bit_generator.state = states["exploration"]
        self.sampling.bit_generator.state = states["sampling"]


class UpdateStats(Protocol):
    """The statistics of one update: a dataclass whose fields are fields of `messages.Learned`; None: not measured."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def loss(self) -> float: ...
    @property
    def grad_norm(self) -> float: ...


def measured_stats(stats: UpdateStats) -> Iterator[tuple[str, float]]:
    """Name and value of each statistic that was measured."""
    for name in stats.__dataclass_fields__:
        value = getattr(stats, name)
        if value is not None:
            yield name, value


class Learner(Protocol):
    """The networks and their optimizer."""

    @property
    def policy(self) -> Trunk:
        """The network to evaluate, save and play."""

    @property
    def flat(self) -> FlatParameters:
        """Parameters of the network that learns."""

    @property
    def optimizer(self) -> FlatAdam:
        """Their optimizer."""

    @property
    def layout(self) -> ParameterLayout:
        """Name and shape of each parameter, in the order of the vectors that `arrays` gives."""

    def weights(self) -> dict[str, Tensor]:
        """The policy's parameters by name; they share memory with it."""

    def arrays(self) -> dict[str, Tensor]:
        """Everything that `restore` needs, by name; `online` is the vector of the network that learns."""

    def restore(self, arrays: Mapping[str, Any]) -> None:
        """Take over what `arrays` gave."""

    def take_over(self, arrays: Mapping[str, Any], layout: ParameterLayout) -> list[str]:
        """Copy parameters of the same name and shape from another learner's `arrays`; returns their names."""


class Store(Protocol):
    """The steps that are kept for learning."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that `restore` needs, by name."""

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `arrays` gave."""


class Algorithm(ABC):
    """Base of all algorithms: actor, store, learner and scaling of one run.

    Made with `(experiment, envs, device, generators)`.

    Attributes:
        store_name: name of the store in saved states and in `messages.Forked`.
        in_rollouts: it learns from whole rollouts, so rows of the log come only after its updates.
    """

    store_name: ClassVar[str]
    in_rollouts: ClassVar[bool] = False
    learner: Learner
    actor: Actor
    store: Store
    scaling: Scaling

    def __init__(self, envs: Envs) -> None:
        self.envs = envs

    # -- one vector step --------------------------------------------------------------------------

    @abstractmethod
    def exploration_rate(self, scheduled: float, count: Counters) -> float | None:
        """Present share of random actions, given that of the schedule; None if the policy itself explores."""

    @abstractmethod
    def act(self, experiment: Experiment, count: Counters, rate: float | None) -> list[FinishedEpisode]:
        """Step every environment once and store the steps; returns the episodes that ended."""

    @abstractmethod
    def learn(self, experiment: Experiment, count: Counters) -> Iterator[UpdateStats]:
        """Make the updates that are due; yields the statistics of each."""

    def starvation(self, experiment: Experiment) -> Text | None:
        """Why nothing could be learned although updates were due, and what helps; None if there is no such problem."""
        return None

    @abstractmethod
    def not_finite(self) -> Text | None:
        """`a reward` or `an observation` if the environments have sent one that is not finite."""

    # -- saving -----------------------------------------------------------------------------------

    @abstractmethod
    def check_room(self, arrays: Mapping[str, Any]) -> None:
        """Raises ConfigError if the store, once full, and a saved state that is loaded do not fit into memory together:
        `restore` fills the one from the other.
        """

    @property
    def parts(self) -> tuple[str, ...]:
        """What a fork copies in addition to parameters, if it copies the whole training."""
        return ("optimizer", self.store_name, "random generators")

    @property
    def room(self) -> tuple[int, int]:
        """Rows of the full store, and the bytes that it takes."""
        return 0, 0

    @property
    def growing(self) -> ReplaySaving | None:
        """What is saved of the store piece by piece; None: `arrays` gives all of it."""
        return None

    def stored_arrays(self, whole: bool) -> dict[str, NDArray[Any]]:
        """What is saved of the store; without `whole`, what `growing` does not give."""
        return self.store.arrays()

    def restore_store(self, arrays: Mapping[str, NDArray[Any]], grown: Iterable[GrownRows]) -> None:
        """Take over a saved store."""
        self.store.restore(arrays)

    def arrays(self, *, whole: bool = True) -> dict[str, Any]:
        """Everything that `restore` needs, by name; without `whole`, what `growing` does not give."""
        parts: dict[str, Mapping[str, Any]] = {
            "learner": self.learner.arrays(),
            self.store_name: self.stored_arrays(whole),
            "actor": self.actor.arrays(),
            "scaling": self.scaling.arrays(),
        }
        return {f"{name}/{key}": value for name, part in parts.items() for key, value in part.items()}

    def restore(self, arrays: Mapping[str, Any], layout: ParameterLayout | None) -> int:
        """Take over a saved state and play the running episodes up to where they were (`load`, `go_on`)."""
        self.load(arrays, layout)
        return self.go_on()

    def load(self, arrays: Mapping[str, Any], layout: ParameterLayout | None, grown: Iterable[GrownRows] = ()) -> None:
        """Take over a saved state; nothing is written and no environment moves.

        `layout` is that of the saved vectors of parameters; None if it was not saved. `grown` is what `growing` gave.
        Raises KeyError, ValueError and others for a state that does not fit.
        """
        learner = in_layout(under("learner", arrays), layout, self.learner.flat)
        _check_learner(learner, self.learner.arrays())
        self.learner.restore(learner)
        self.scaling.restore(under("scaling", arrays))
        self.restore_store({key: np.asarray(value) for key, value in under(self.store_name, arrays).items()}, grown)
        self.actor.restore({key: np.asarray(value) for key, value in under("actor", arrays).items()})

    def go_on(self) -> int:
        """Play the running episodes of a loaded state up to where they were.

        Returns the number of episodes that could not be repeated and were abandoned.
        """
        wanted, legal = self.actor.parts, self.actor.legal
        self.actor.replay_running()
        same = ~self.envs.ended
        if legal is not None and self.actor.legal is not None:
            same &= (legal == self.actor.legal).all(1)
        for name, part in wanted.items():
            same &= np.array([np.array_equal(a, b) for a, b in zip(part, self.actor.parts[name], strict=True)])
        lost = ~same
        if lost.any():
            self.cut_off(lost, wanted, legal)
            self.actor.abandon(lost)
        return int(lost.sum())

    @abstractmethod
    def cut_off(self, lost: NDArray[np.bool_], last: ObservationParts, legal: Mask | None) -> None:
        """End the running episodes of the environments `lost` (N,); `last` is what all environments showed last, N
        rows, and `legal` which actions were legal there, (N, A), if they told.
        """


def _check_learner(saved: Mapping[str, Any], own: Mapping[str, Tensor]) -> None:
    """Raises DoesNotFit for a learner's saved arrays that are not of this network, or not finite."""
    # Random streams of another kind of device do not fit, and start anew.
    check_like(saved, {name: like for name, like in own.items() if not name.startswith("chance.")})
    for name in own.keys() & saved.keys():
        value = torch.as_tensor(saved[name])
        if name in ("adam.count", "updates"):
            require_between(name, value, 0, 2**53)
        elif name.startswith("adam."):  # squares of a large gradient may be infinite
            require(
                not bool(torch.isnan(value).any()) and not (name == "adam.second" and bool((value < 0).any())), name
            )
        elif value.is_floating_point():
            require_finite(name, value)


def under(prefix: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays named `prefix/…`, with the prefix removed."""
    return {key.split("/", 1)[1]: value for key, value in arrays.items() if key.startswith(f"{prefix}/")}
