"""Off-policy learning (DQN): an ε-greedy actor fills a replay, and a Q-learner learns from it at a fixed interval."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dqngui.bounded import memory_of_process
from dqngui.config import ConfigError, Experiment, number
from dqngui.envs.legal_actions import Mask
from dqngui.envs.vector import Envs
from dqngui.learning.acting import Actor, FinishedEpisode, ObservationParts
from dqngui.learning.algorithm import Algorithm, Generators, under
from dqngui.learning.batches import OneStepBatch
from dqngui.learning.counters import Counters, next_multiple
from dqngui.learning.dqn import DQN, QStats
from dqngui.learning.exploration import epsilon_ladder
from dqngui.learning.replay import Replay, bytes_of_replay
from dqngui.learning.replay_saving import GrownRows, ReplaySaving
from dqngui.learning.scaling import Scaling
from dqngui.learning.windows import WindowRule
from dqngui.texts import Text, say

MOST_TOGETHER = 8192
"""Largest number of windows drawn at once, so that many updates with large batches of pictures fit into memory."""


class OffPolicy(Algorithm):
    """Replay, actor and learner of deep Q-learning."""

    store_name = "replay"
    learner: DQN
    store: Replay

    def __init__(self, experiment: Experiment, envs: Envs, device: torch.device, generators: Generators) -> None:
        super().__init__(envs)
        run, learn = experiment.run, experiment.learn
        self.learner = DQN(envs.spaces, experiment, device, generators.parameters)
        recurrent = self.learner.context is None
        with torch.inference_mode():
            initial = [part.cpu().numpy() for part in self.learner.online.initial_state(1)]
        size: dict[str, Any] = {
            "num_envs": len(envs),
            "capacity": learn.replay_capacity,
            "initial_state": initial if recurrent else None,
            "stride": learn.state_stride,
        }
        steps, states = bytes_of_replay(envs.spaces, **size)
        _check_room(steps, states)
        try:
            self.store = Replay(envs.spaces, **size, generator=generators.sampling, prioritized=learn.prioritized)
        except MemoryError:
            raise ConfigError("train.replay_no_room", replay=_size(steps + states)) from None
        self.actor = Actor(
            envs,
            self.learner.online,
            run_seed=run.seed,
            repeat_random=learn.epsilon_repeat,
            repeat_power=learn.epsilon_repeat_power,
            device=device,
            generator=generators.exploration,
        )
        networks = [self.learner.online, self.learner.target, self.learner.average]
        self.scaling = Scaling(envs.spaces.parts, networks, len(envs))
        self.starving = False  # the last updates that were due found no window in a full replay

    # -- one vector step --------------------------------------------------------------------------

    def exploration_rate(self, scheduled: float, count: Counters) -> float:
        """1 while the replay is first filled: every action is random."""
        return 1.0 if count.step < count.random_until else scheduled

    def act(self, experiment: Experiment, count: Counters, rate: float | None) -> list[FinishedEpisode]:
        learn, replay = experiment.learn, self.store
        spread = 0.0 if count.step < count.random_until else learn.epsilon_ladder
        due = replay.state_due if replay.initial_state is not None else None
        self.scaling.observe(self.actor.parts)
        transition = self.actor.step(epsilon_ladder(rate or 0.0, len(self.envs), spread), due)
        self.scaling.observe_rewards(transition, learn.gamma)
        rule = self.learner.rule(experiment) if learn.prioritized else None
        replay.add(
            transition.observation,
            transition.action,
            transition.reward,
            transition.states,
            rule,
            transition.legal,
            transition.cut,
        )
        if transition.ended.any():
            ended = np.flatnonzero(transition.ended)
            replay.end_episodes(ended, transition.after, transition.truncated, transition.legal_after)
        return transition.episodes

    def learn(self, experiment: Experiment, count: Counters) -> Iterator[QStats]:
        """Make the updates that are due, and update a hard target network when that is due."""
        learn = experiment.learn
        made, due = 0, count.next_update <= count.step
        if due:
            self.scaling.set_units(learn.gamma)
        while count.next_update <= count.step:
            for stats in self._updates(learn.updates, experiment):
                made += 1
                yield stats
            count.next_update += learn.update_every
        if learn.target == "hard" and count.next_copy <= count.step:
            self.learner.copy_to_target()
            count.next_copy = next_multiple(count.step, learn.target_every)
        self.starving = due and made == 0 and self.store.full

    def _updates(self, wanted: int, experiment: Experiment) -> Iterator[QStats]:
        """Make up to `wanted` updates; fewer if the replay has no window to learn from."""
        rule = self.learner.rule(experiment)
        # Without memory and priorities, all their batches come from one draw: nothing is added in between.
        learn = experiment.learn
        together = 1
        if rule.single_steps and not learn.prioritized:
            together = max(1, MOST_TOGETHER // learn.batch_size)
        for made in range(0, wanted, together):
            yield from self._update(rule, min(together, wanted - made), experiment)

    def _update(self, rule: WindowRule, together: int, experiment: Experiment) -> list[QStats]:
        learn = experiment.learn
        batch = self.store.sample(learn.batch_size * together, rule, learn.gamma, number(learn.priority_beta))
        if batch is None:
            return []
        if isinstance(batch, OneStepBatch):
            stats, priorities = self.learner.update_one_steps(batch, together, experiment)
        else:
            one, priorities = self.learner.update(batch, experiment)
            stats = [one]
        if priorities is not None:
            self.store.set_priorities(batch.indices, priorities)
        return stats

    def starvation(self, experiment: Experiment) -> Text | None:
        if not self.starving:
            return None
        from_start = experiment.learn.window_from == "start"
        if from_start:
            return say("train.starving_from_start", rows=self.store.rows)
        return say("train.starving", rows=self.store.rows)

    def not_finite(self) -> Text | None:
        if not np.isfinite(self.store.reward).all():
            return say("train.reward")
        observed = self.store.observation.values()
        return None if all(np.isfinite(part).all() for part in observed) else say("train.observation")

    @property
    def room(self) -> tuple[int, int]:
        return len(self.store.action), self.store.bytes_of_steps + self.store.bytes_of_states

    @property
    def growing(self) -> ReplaySaving | None:
        return self.store.growing

    def stored_arrays(self, whole: bool) -> dict[str, Any]:
        return self.store.arrays(whole=whole)

    def restore_store(self, arrays: Mapping[str, Any], grown: Iterable[GrownRows]) -> None:
        self.store.restore(arrays, grown)

    def check_room(self, arrays: Mapping[str, Any]) -> None:
        """As `Algorithm.check_room`."""
        saved = under(self.store_name, arrays)
        counted = ("observation.", "frames.", "whole.", "state.", "taken", "reward", "start", "end")  # as its own size
        loaded = sum(int(part.nbytes) for name, part in saved.items() if name.startswith(counted))
        _check_room(self.store.bytes_of_steps, self.store.bytes_of_states, loaded)

    def cut_off(self, lost: NDArray[np.bool_], last: ObservationParts, legal: Mask | None) -> None:
        self.scaling.abandon(lost)
        self.store.end_episodes(np.flatnonzero(lost), last, np.ones(len(self.envs), dtype=bool), legal)


def _check_room(steps: int, states: int, loaded: int | None = None) -> None:
    """Raises ConfigError if the bytes of a full replay's steps and of the memory's states, and `loaded` ones of a saved
    replay, are more than the memory of this process. Asked before the replay is made.

    Most arrays take no memory before they are written: without this check, a run would be killed hours later.
    """
    room = memory_of_process()
    if steps + states + (loaded or 0) <= room:
        return
    if loaded is not None:
        raise ConfigError(
            "train.replay_too_large_twice", replay=_size(steps + states), saved=_size(loaded), room=_size(room)
        )
    if states > steps // 100:
        raise ConfigError("train.replay_too_large_states", steps=_size(steps), states=_size(states), room=_size(room))
    raise ConfigError("train.replay_too_large", steps=_size(steps), room=_size(room))


def _size(count: int) -> Text:
    return say("size.gigabytes", size=count / 2**30)
