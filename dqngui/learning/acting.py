"""Acting: one network steps many environments, with a memory state and a running episode for each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dqngui.envs.legal_actions import Mask
from dqngui.envs.seeds import episode_seed
from dqngui.envs.vector import Envs
from dqngui.learning.exploration import Exploration
from dqngui.nets.legal import greedy_actions
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
    """A training episode that has ended: its result, and the seed and actions from which it can be played again."""

    env: int
    number: int
    seed: int
    ret: float
    length: int
    truncated: bool
    actions: NDArray[np.int64]


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
        self.exploration = Exploration(len(envs), network.actions, repeat_random, generator, repeat_power)
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

    def begin(self) -> None:
        """Start the first episode of every environment."""
        self.parts = self.envs.reset([int(seed) for seed in self.seeds])
        self.legal = self.envs.legal

    def _seed(self, env: int) -> int:
        return episode_seed(self.run_seed, "train", env, int(self.numbers[env]))

    def step(self, epsilon: NDArray[np.float64], states_due: Callable[[], NDArray[np.bool_]] | None) -> Transition:
        """One step of every environment with ε-greedy actions, ε (N,); episodes that end are reset.

        `states_due` says whose memory states are wanted; None when no state is stored.
        """
        states = None
        if states_due is not None and states_due().any():
            states = [part.cpu().numpy() for part in self.state]
        if self.network.context == 0 and bool((epsilon >= 1.0).all()):
            greedy = self.prev_action  # there is no memory and every action is random: the network need not run
        else:
            with torch.inference_mode():
                seen = self.network.reward_unit.learned(self.prev_reward)
                inputs = inputs_of(self.parts, self.prev_action, seen, self.device)
                preferences, self.state = self.network.preferences(inputs, self.state)
                greedy = greedy_actions(preferences[0], self.legal)
        return self.move(self.exploration.replace(greedy, epsilon, self.legal), states)

    def move(self, actions: NDArray[np.int64], states: list[NDArray[Any]] | None) -> Transition:
        """Take these actions (N,) in the environments; episodes that end are reset. `states` goes into the result."""
        before, legal = self.parts, self.legal
        after, reward, terminated, truncated = self.envs.step(actions)
        ended = terminated | truncated
        self.returns += reward
        for env, action in enumerate(actions.tolist()):
            self.actions_so_far[env].append(action)
        self.prev_action, self.prev_reward = actions, np.asarray(reward, np.float64)
        self.parts, self.legal = after, self.envs.legal
        legal_after = self.legal
        episodes = self._restart(ended, truncated & ~terminated) if ended.any() else []
        cut = truncated & ~terminated
        return Transition(before, actions, reward, states, after, ended, cut, episodes, legal, legal_after)

    def _restart(self, ended: NDArray[np.bool_], truncated: NDArray[np.bool_]) -> list[FinishedEpisode]:
        episodes = [
            FinishedEpisode(
                env=int(env),
                number=int(self.numbers[env]),
                seed=int(self.seeds[env]),
                ret=float(self.returns[env]),
                length=len(self.actions_so_far[env]),
                truncated=bool(truncated[env]),
                actions=np.array(self.actions_so_far[env], dtype=np.int64),
            )
            for env in np.flatnonzero(ended)
        ]
        self.abandon(ended)
        return episodes

    def abandon(self, which: NDArray[np.bool_]) -> None:
        """Start the next episode in the environments where `which` (N,) is true, whether or not theirs has ended."""
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
        self.parts = self.envs.reset_some(which, self.seeds)
        self.legal = self.envs.legal

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
        """Take over running episodes; `replay_running` then brings the environments to where these were."""
        self.numbers, self.seeds = arrays["numbers"].copy(), arrays["seeds"].copy()
        self.prev_action = arrays["action"].copy()
        if "raw_reward" in arrays:
            self.prev_reward = arrays["raw_reward"].copy()
        else:  # earlier versions saved it in the network's unit
            self.prev_reward = arrays["reward"].astype(np.float64) * self.network.reward_unit.shown
        self.returns = arrays["returns"].copy()
        if "explore.left" in arrays:
            self.exploration.restore(arrays["explore.left"], arrays["explore.held"])
        pieces = np.split(arrays["taken"], np.cumsum(arrays["lengths"])[:-1])
        self.actions_so_far = [piece.tolist() for piece in pieces]
        with torch.inference_mode():
            self.state = tuple(
                torch.from_numpy(arrays[f"state.{index}"].copy()).to(self.device) for index in range(len(self.state))
            )
        if "legal" in arrays:
            self.legal = arrays["legal"].astype(np.bool_)
            self.envs.legal_actions.restore(self.legal)
        self.parts = {
            name.removeprefix("observation."): part.copy()
            for name, part in arrays.items()
            if name.startswith("observation.")
        }

    def replay_running(self) -> None:
        """Play the running episodes again in fresh environments, up to their present steps."""
        self.parts = self.envs.replay([int(seed) for seed in self.seeds], self.actions_so_far)
        self.legal = self.envs.legal
