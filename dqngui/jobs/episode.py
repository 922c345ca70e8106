"""One episode of the playing job, simulated step by step on request, so that it can be replayed."""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from dqngui.envs.vector import Envs, Parts
from dqngui.jobs.agent import CPU, LoadedAgent
from dqngui.jobs.interventions import Interventions, NotLegal, allowed, check_action, check_legal
from dqngui.learning.acting import inputs_of
from dqngui.learning.exploration import Exploration
from dqngui.messages import BeginEpisode, Drive, Played
from dqngui.nets.record import Record

MAX_VIEW_BYTES = 256 << 20
"""Bytes of views that are recorded of one episode: self-attention over many tokens makes a megabyte per step."""


def digest(parts: Parts, reward: float) -> int:
    """A checksum of a step's observation and reward, to tell whether a replayed step is the same."""
    checksum = zlib.crc32(struct.pack("<d", reward))
    for values in parts.values():
        checksum = zlib.crc32(values, checksum)  # type: ignore[arg-type]  # arrays are buffers
    return checksum


class SimulatedEpisode:
    """An episode of `agent` in the single environment of `envs`; making it resets the environment.

    Attributes:
        number, seed: as requested.
        step: how far the agent's weights were trained; they do not change within the episode.
        given: the first actions, prescribed by the request.
        driven: each step after these waits for `drive`.
        actions: the actions so far.
        digests: checksum of each observation so far with the reward before it; one more than actions.
    """

    def __init__(
        self, agent: LoadedAgent, envs: Envs, request: BeginEpisode, watch: Callable[[int], None] | None = None
    ) -> None:
        """`watch(t)` is called at every observation while the environment shows it, the last included.

        Raises ConfigError for interventions that are not possible.
        """
        self.number, self.seed, self.step = request.number, request.seed, agent.step
        self.epsilon, self.recorded = request.epsilon, request.record
        self.given, self.driven = request.actions, request.driven
        self._derived = frozenset(request.derive)
        self._interventions = Interventions(request.interventions, agent)
        self._drive: Drive | None = None
        self.actions: list[int] = []
        self.ended = self.truncated = False
        self._agent, self._envs, self._watch = agent, envs, watch
        self._view_bytes_left = MAX_VIEW_BYTES
        self._exploration = Exploration(
            1, agent.network.actions, 1, np.random.default_rng(request.seed), several=agent.spaces.several
        )
        self._parts = envs.reset([request.seed])
        self._action, self._reward = np.full(1, -1), np.zeros(1, np.float32)
        with torch.inference_mode():
            self._state = agent.network.initial_state(1)
        self.digests = [digest(self._parts, 0.0)]
        if watch is not None:
            watch(0)

    @property
    def length(self) -> int:
        """Number of steps so far."""
        return len(self.actions)

    @property
    def full(self) -> bool:
        """Whether so much was recorded that the following steps come without views."""
        return self._view_bytes_left <= 0

    @property
    def legal(self) -> tuple[bool, ...]:
        """Whether each action is legal at the present step; empty if the environment does not tell."""
        return () if self._envs.legal is None else tuple(self._envs.legal[0].tolist())

    def drive(self, drive: Drive) -> None:
        """Set the action of the step that waits; commands for other steps are ignored. Raises ConfigError for an action
        that does not exist or is not legal there.

        With `onward` the episode is no longer driven, and the agent continues by itself.
        """
        if drive.onward:
            self.driven = False
            return
        if drive.action is not None:
            check_action(drive.action, self._agent.spaces)
            if self._waits_for(drive) and drive.t == self.length:
                check_legal(drive.action, drive.t, self._legal, self._agent.spaces)
        if self._waits_for(drive):
            self._drive = drive

    def _waits_for(self, drive: Drive) -> bool:
        return self.driven and not self.ended and drive.t == self._next_driven

    @property
    def _legal(self) -> NDArray[np.bool_] | None:
        """Which actions are legal at the present step (A,); None if the environment does not tell."""
        return None if self._envs.legal is None else self._envs.legal[0]

    @property
    def _next_driven(self) -> int:
        """The first driven step that has not been played."""
        return max(self.length, len(self.given))

    def playable_until(self, wanted: int) -> int:
        """Number of steps to play if `wanted` steps are wanted.

        A driven episode stops at the step that waits for a command; once that has come, the step is played even if it
        is not wanted yet.
        """
        if not self.driven:
            return wanted
        return min(wanted, self._next_driven) if self._drive is None else self._next_driven + 1

    def advance(self, until: int, seconds: float) -> Played:
        """Play at least one step, and further steps up to `until` for at most some `seconds`.

        The episode must not have ended, and `until` must come from `playable_until`. Raises NotLegal at a step at which
        an intervention wants an action that is not legal.
        """
        deadline = time.perf_counter() + seconds
        first = self.length
        observations: list[Parts] = []
        rewards: list[float] = []
        rows: list[dict[str, torch.Tensor]] = []
        with torch.inference_mode():
            while True:
                try:
                    forced = self._forced(self.length)
                except NotLegal:
                    if not rows:
                        raise
                    break  # the steps before it are still told
                observations.append(self._interventions.observation(self.length, self._parts))
                rows.append(self._decide(observations[-1], forced))
                rewards.append(self._act())
                if self.full and len(rows[-1]) > 1:  # the next step has no views
                    break
                if self.ended or self.length >= until or time.perf_counter() >= deadline:
                    break
            tensors = {name: torch.cat([row[name] for row in rows])[:, 0].numpy() for name in rows[0]}
        tensors |= {
            "action": np.array(self.actions[first:], np.int64),
            "reward": np.array(rewards, np.float64),
            "observation": self._agent.numbers(observations),
        }
        return Played(
            step=self.step,
            number=self.number,
            first=first,
            tensors=tensors,
            ended=self.ended,
            truncated=self.truncated,
            legal=self.legal,
        )

    def _decide(self, observation: Parts, forced: int | None) -> dict[str, torch.Tensor]:
        """Choose the next action, if none is forced; returns the action values and the views, (1, 1, ...) each."""
        t = self.length
        recording, weights = self.recorded and not self.full, self._interventions.weights(t)
        record = Record(changes=weights) if recording or weights else None
        inputs = inputs_of(observation, self._action, self._reward, CPU)
        before = self._interventions.state(t, self._state)
        network = self._agent.network
        preferences, self._state = network.preferences(inputs, before, record)
        legal = self._envs.legal
        q = network.shown(preferences, legal)
        action = network.greedy(preferences[0], legal)
        if self.epsilon > 0:
            action = self._exploration.replace(action, np.full(1, self.epsilon), legal)
        self._action = action if forced is None else np.full_like(action, forced)
        if record is not None and recording:
            self._agent.derive(record, self._derived, observation, inputs, before, int(self._action[0]))
        views = {}
        if record is not None and recording:
            views = {f"view/{name}": value for name, value in record.values.items()}
        self._view_bytes_left -= sum(value.nbytes for value in views.values())
        told = {} if legal is None else {"legal": torch.from_numpy(legal)[None]}
        return {"q": q, **told, **views}

    def _forced(self, t: int) -> int | None:
        """The action that replaces the agent's own at step t: of an intervention, of the request or of a `Drive`.

        Those of the request are played whether they are legal or not, since they were: runs of earlier versions took
        illegal ones. Raises NotLegal for an intervention; a `Drive` was checked before it, unless it came early: then
        the agent acts.
        """
        driven, forced = None, self._interventions.action(t)
        if self._drive is not None and self._drive.t == t:
            driven, self._drive = self._drive.action, None
        if forced is not None:
            check_legal(forced, t, self._legal, self._agent.spaces)
            return forced
        if t < len(self.given):
            return self.given[t]
        return driven if driven is None or allowed(driven, self._legal, self._agent.spaces) else None

    def _act(self) -> float:
        self._parts, rewards, terminated, truncated = self._envs.step(self._action)
        reward = float(rewards[0])
        self._reward = self._agent.network.reward_unit.learned(rewards)
        self.actions.append(int(self._action[0]))
        self.digests.append(digest(self._parts, reward))
        self.ended = bool(terminated[0] or truncated[0])
        self.truncated = bool(truncated[0] and not terminated[0])
        if self._watch is not None:
            self._watch(self.length)
        return reward
