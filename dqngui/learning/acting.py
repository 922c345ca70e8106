"""Acting: one network steps many environments, with a memory state and a running episode for each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dqngui.envs.legal_actions import Mask
from dqngui.envs.seeds import episode_seed
from dqngui.envs.vector import Envs
from dqngui.learning.exploration import Exploration
from dqngui.learning.outside import Outside
from dqngui.learning.saved import check_array, check_like, check_observation, pieces, require_between
from dqngui.nets.memory.contract import State
from dqngui.nets.trunk import Inputs, Trunk

ObservationParts = Mapping[str, NDArray[Any]]


def inputs_of(
    parts: ObservationParts, prev_action: NDArray[np.int64], prev_reward: NDArray[np.float32], device: torch.device
) -> Inputs:
    """Network inputs of one step of N environments, (1, N, ...).

    Args:
        parts: observation by part, (N, ...) each.
        prev_action, prev_reward: of the step before, (N,); −1 and 0 at an episode's start. Rewards are in the
            network's unit.
    """

    def tensor(array: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(array).to(device).unsqueeze(0)

    return Inputs({name: tensor(part) for name, part in parts.items()}, tensor(prev_action), tensor(prev_reward))


END_OF_LEARNING = "end_of_learning"
"""An environment or a wrapper sets this in `info` at a step beyond which nothing is to be learned, as after the loss of
a life: targets of a replay see a termination there, and the episode goes on."""


def _cuts(infos: Sequence[Mapping[str, Any]]) -> NDArray[np.bool_] | None:
    """Which environments say that their last step ends the learning, (N,); None: none of them."""
    found = [isinstance(said := info.get(END_OF_LEARNING), (bool, np.bool_)) and bool(said) for info in infos]
    return np.array(found) if any(found) else None


def reset_rows(state: State, initial: State, rows: NDArray[np.bool_]) -> State:
    """The state in which the rows of some environments (N,) are replaced by those of an episode's start."""
    if not state:
        return state
    mask = torch.from_numpy(rows).to(state[0].device)
    return tuple(
        torch.where(mask.view(-1, *[1] * (old.ndim - 1)), new, old) for new, old in zip(initial, state, strict=True)
    )


@dataclass(frozen=True, slots=True)
class FinishedEpisode:
    """A training episode that has ended: its result, and the seed and actions from which it can be played again.

    `measures`: what its task says beside the return (`envs.measures`).
    """

    env: int
    number: int
    seed: int
    ret: float
    length: int
    truncated: bool
    actions: NDArray[np.int64]
    measures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Transition:
    """One step of all N environments.

    Attributes:
        observation: what was observed before the step, by part, (N, ...) each.
        action: actions of the step, (N,).
        reward: raw rewards, (N,).
        states: the memory's states before the step, (N, ...) each; None if nobody asked for them.
        after: what was observed after the step, of an ended episode its last observation.
        ended, truncated: which episodes ended, and which of those by a time limit, (N,).
        episodes: the episodes that ended.
        legal, legal_after: which actions were legal before and after the step, (N, A); None if the environments do not
            tell.
        cut: which steps end the learning but not the episode (`END_OF_LEARNING`), (N,); None: none.
    """

    observation: ObservationParts
    action: NDArray[np.int64]
    reward: NDArray[np.float64]
    states: list[NDArray[Any]] | None
    after: ObservationParts
    ended: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    episodes: list[FinishedEpisode]
    legal: Mask | None
    legal_after: Mask | None
    cut: NDArray[np.bool_] | None = None


class Actor:
    """Steps `envs` with ε-greedy actions of `network`, or with given actions, and keeps what the next step needs.

    Args:
        repeat_random, repeat_power: longest repetition of a random action, and how rare long ones are (`Exploration`).
        run_seed: the episodes' seeds are computed from it, the environment's index and the episode's number.

    Attributes:
        parts: what the environments show now, by part, (N, ...) each.
        legal: which actions are legal now, (N, A); None if the environments do not tell.
        prev_action, prev_reward: of the step before, (N,); −1 and 0 at an episode's start. Rewards are raw.
        state: the memory's state, N rows; `initial` is that of an episode's start.
        numbers, seeds: of the running episodes, (N,).
        returns: raw rewards of the running episodes so far, (N,).
        actions_so_far: actions of the running episodes.
        moves: number of vector steps that are complete. One in which an environment raises an error is undone: it
            leaves everything that is saved as it was before the step.
        outside: the context in which environments are called.
    """

    def __init__(
        self,
        envs: Envs,
        network: Trunk,
        *,
        run_seed: int,
        repeat_random: int,
        repeat_power: float,
        device: torch.device,
        generator: np.random.Generator,
    ) -> None:
        self.envs, self.network, self.device = envs, network, device
        self.exploration = Exploration(
            len(envs), network.actions, repeat_random, generator, repeat_power, envs.spaces.several
        )
        self.run_seed = run_seed
        count = self.count = len(envs)
        self.numbers = np.zeros(count, dtype=np.int64)
        self.seeds = np.array([self._seed(env) for env in range(count)], dtype=np.int64)
        self.prev_action = np.full(count, -1, dtype=np.int64)
        self.prev_reward = np.zeros(count, dtype=np.float64)
        self.returns = np.zeros(count, dtype=np.float64)
        self.actions_so_far: list[list[int]] = [[] for _ in range(count)]
        with torch.inference_mode():
            self.initial = network.initial_state(count)
        self.state = self.initial
        self.parts: ObservationParts = {}
        self.legal: Mask | None = None
        self.moves = 0
        self.outside = Outside()

    def begin(self) -> None:
        """Start the first episode of every environment."""
        with self.outside:
            self.parts = self.envs.reset([int(seed) for seed in self.seeds])
            self.legal = self.envs.legal

    def _seed(self, env: int, after: int = 0) -> int:
        """Seed of an environment's running episode, or of one that comes `after` it."""
        return episode_seed(self.run_seed, "train", env, int(self.numbers[env]) + after)

    def step(self, epsilon: NDArray[np.float64], states_due: Callable[[], NDArray[np.bool_]] | None) -> Transition:
        """One step of every environment with ε-greedy actions, ε (N,); episodes that end are reset. An error undoes it.

        `states_due` says whose memory states are wanted; None when no state is stored.
        """
        states = None
        if states_due is not None and states_due().any():
            states = [part.cpu().numpy() for part in self.state]
        if self.network.context == 0 and bool((epsilon >= 1.0).all()):
            greedy = self.prev_action  # there is no memory and every action is random: the network need not run
            state = self.state
        else:
            with torch.inference_mode():
                seen = self.network.reward_unit.learned(self.prev_reward)
                inputs = inputs_of(self.parts, self.prev_action, seen, self.device)
                preferences, state = self.network.preferences(inputs, self.state)
                greedy = self.network.greedy(preferences[0], self.legal)
        self.exploration.remember()
        return self.move(self.exploration.replace(greedy, epsilon, self.legal), state, states)

    def move(self, actions: NDArray[np.int64], state: State, states: list[NDArray[Any]] | None) -> Transition:
        """Take these actions (N,) in the environments; episodes that end are reset. An error undoes the step, and what
        was drawn since `exploration.remember`.

        Args:
            state: the memory's state after the observation.
            states: goes into the result.
        """
        before, legal = self.parts, self.legal
        restarted: ObservationParts | None = None
        measures: dict[int, Mapping[str, float]] = {}
        try:
            with self.outside:
                after, reward, terminated, truncated = self.envs.step(actions)
                legal_after = self.envs.legal
                cut = _cuts(self.envs.infos)
                ended = terminated | truncated
                if ended.any():
                    measures = {int(env): self.envs.measures_of(int(env)) for env in np.flatnonzero(ended)}
                    restarted = self.envs.reset_some(ended, self._next_seeds(ended))
        except BaseException:
            self.outside.running = False
            self.exploration.forget()
            raise
        self.moves += 1
        self.state = state
        self.returns += reward
        for env, action in enumerate(actions.tolist()):
            self.actions_so_far[env].append(action)
        self.prev_action, self.prev_reward = actions, np.asarray(reward, np.float64)
        self.parts, self.legal = after, legal_after
        by_limit = truncated & ~terminated
        episodes = [] if restarted is None else self._finished(ended, by_limit, measures)
        if restarted is not None:
            self._begin_next(ended, restarted)
        return Transition(before, actions, reward, states, after, ended, by_limit, episodes, legal, legal_after, cut)

    def _finished(
        self, ended: NDArray[np.bool_], truncated: NDArray[np.bool_], measures: Mapping[int, Mapping[str, float]]
    ) -> list[FinishedEpisode]:
        return [
            FinishedEpisode(
                env=int(env),
                number=int(self.numbers[env]),
                seed=int(self.seeds[env]),
                ret=float(self.returns[env]),
                length=len(self.actions_so_far[env]),
                truncated=bool(truncated[env]),
                actions=np.array(self.actions_so_far[env], dtype=np.int64),
                measures=measures[int(env)],
            )
            for env in np.flatnonzero(ended)
        ]

    def abandon(self, which: NDArray[np.bool_]) -> None:
        """Start the next episode in the environments where `which` (N,) is true, whether or not theirs has ended."""
        with self.outside:
            restarted = self.envs.reset_some(which, self._next_seeds(which))
        self._begin_next(which, restarted)

    def _next_seeds(self, which: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The seeds (N,) of the running episodes, and where `which` (N,) is true of those that come next."""
        seeds = self.seeds.copy()
        for env in np.flatnonzero(which):
            seeds[env] = self._seed(int(env), after=1)
        return seeds

    def _begin_next(self, which: NDArray[np.bool_], parts: ObservationParts) -> None:
        """Note that the next episode has begun where `which` (N,) is true; `parts` are what all environments show."""
        self.exploration.restart(which)
        self.numbers[which] += 1
        for env in np.flatnonzero(which):
            self.seeds[env] = self._seed(int(env))
            self.actions_so_far[env] = []
        self.returns[which] = 0.0
        self.prev_action = np.where(which, -1, self.prev_action)
        self.prev_reward = np.where(which, 0.0, self.prev_reward)
        with torch.inference_mode():
            self.state = reset_rows(self.state, self.initial, which)
        self.parts, self.legal = parts, self.envs.legal

    # -- saving -----------------------------------------------------------------------------------

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Running episodes (seeds, numbers, actions so far) and memory states, by name."""
        kept: dict[str, NDArray[Any]] = {
            "numbers": self.numbers,
            "seeds": self.seeds,
            "action": self.prev_action,  # the names on disk are older than those of the attributes
            "raw_reward": self.prev_reward,
            "returns": self.returns,
            "lengths": np.array([len(actions) for actions in self.actions_so_far], dtype=np.int64),
            "taken": np.array([action for actions in self.actions_so_far for action in actions], dtype=np.int64),
        }
        kept |= self.exploration.arrays()
        kept |= {f"state.{index}": part.cpu().numpy() for index, part in enumerate(self.state)}
        if self.legal is not None:
            kept["legal"] = self.legal
        return kept | {f"observation.{name}": part for name, part in self.parts.items()}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over running episodes; `replay_running` then brings the environments to where these were.

        Raises KeyError or DoesNotFit when it does not fit.
        """
        check_like(arrays, self.arrays(), ("taken",))
        actions = self.network.actions
        runs = pieces("taken", arrays["taken"], arrays["lengths"], self.count)
        require_between("taken", arrays["taken"], 0, actions - 1)
        require_between("action", arrays["action"], -1, actions - 1)
        require_between("numbers", arrays["numbers"], 0, 2**53)
        require_between("seeds", arrays["seeds"], 0, 2**63 - 1)
        for part in self.envs.spaces.parts:
            check_observation(part, arrays[f"observation.{part.name}"], (self.count,))
        self.numbers, self.seeds = arrays["numbers"].copy(), arrays["seeds"].copy()
        self.prev_action = arrays["action"].copy()
        if "raw_reward" in arrays:
            self.prev_reward = arrays["raw_reward"].copy()
        else:  # earlier versions saved it in the network's unit
            check_array("reward", arrays["reward"], (self.count,), np.float32)
            self.prev_reward = arrays["reward"].astype(np.float64) * self.network.reward_unit.shown
        self.returns = arrays["returns"].copy()
        if "explore.left" in arrays:
            require_between("explore.left", arrays["explore.left"], 0, 2**53)
            require_between("explore.held", arrays["explore.held"], 0, actions - 1)
            self.exploration.restore(arrays["explore.left"], arrays["explore.held"])
        self.actions_so_far = [run.tolist() for run in runs]
        with torch.inference_mode():
            self.state = tuple(
                torch.from_numpy(arrays[f"state.{index}"].copy()).to(self.device) for index in range(len(self.state))
            )
        if "legal" in arrays:
            check_array("legal", arrays["legal"], (self.count, self.envs.spaces.options), np.bool_)
            self.legal = arrays["legal"].astype(np.bool_)
            self.envs.legal_actions.restore(self.legal)
        self.parts = {part.name: arrays[f"observation.{part.name}"].copy() for part in self.envs.spaces.parts}

    def replay_running(self) -> None:
        """Play the running episodes again in fresh environments, up to their present steps."""
        with self.outside:
            self.parts = self.envs.replay([int(seed) for seed in self.seeds], self.actions_so_far)
            self.legal = self.envs.legal
