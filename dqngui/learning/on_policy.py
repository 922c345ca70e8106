"""On-policy learning (PPO): the policy's probabilities choose the actions, and updates learn from its last rollout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dqngui.config import Experiment
from dqngui.envs.legal_actions import Mask
from dqngui.envs.vector import Envs
from dqngui.learning.acting import Actor, FinishedEpisode, ObservationParts, inputs_of
from dqngui.learning.algorithm import Algorithm, Generators
from dqngui.learning.counters import Counters
from dqngui.learning.ppo import PPO, PolicyStats
from dqngui.learning.rollout import Floats, Rollout, RolloutStep
from dqngui.learning.scaling import Scaling
from dqngui.nets.memory.contract import State
from dqngui.texts import Text, say


class OnPolicy(Algorithm):
    """Rollout store, actor and learner of proximal policy optimisation."""

    store_name = "rollout"
    in_rollouts = True
    learner: PPO
    store: Rollout

    def __init__(self, experiment: Experiment, envs: Envs, device: torch.device, generators: Generators) -> None:
        super().__init__(envs)
        self.device, self.generators = device, generators
        self.learner = PPO(envs.spaces, experiment, device, generators.parameters)
        self.actor = Actor(
            envs,
            self.learner.network,
            run_seed=experiment.run.seed,
            repeat_random=1,
            repeat_power=2.0,
            device=device,
            generator=generators.exploration,
        )
        self.scaling = Scaling(envs.spaces.parts, [self.learner.network], len(envs))
        context = self.learner.network.context
        self.store = Rollout(envs.spaces, num_envs=len(envs), context=context, states=len(self.actor.initial))

    # -- one vector step --------------------------------------------------------------------------

    def exploration_rate(self, scheduled: float, count: Counters) -> None:
        """None: the policy itself explores."""

    def act(self, experiment: Experiment, count: Counters, rate: float | None) -> list[FinishedEpisode]:
        actor, rollout = self.actor, self.store
        starts = rollout.window_starts(experiment.learn.window)
        states = [part.cpu().numpy() for part in actor.state] if rollout.states and starts.any() else []
        unit = self.learner.network.reward_unit
        self.scaling.observe(actor.parts)
        observation, prev_action, prev_reward = actor.parts, actor.prev_action, unit.learned(actor.prev_reward)
        legal = actor.legal
        log_probs, value, state = self._evaluated(observation, prev_action, prev_reward, actor.state, legal)
        actor.exploration.remember()
        action = sampled_actions(log_probs, self.generators.exploration)
        transition = actor.move(action, state, None)
        bootstrap_value = np.zeros_like(value)
        if transition.truncated.any():
            _, last, _ = self._evaluated(transition.after, action, unit.learned(transition.reward), state)
            bootstrap_value = np.where(transition.truncated, last, bootstrap_value)
        row = RolloutStep(
            observation=observation,
            prev_action=prev_action,
            prev_reward=prev_reward,
            action=action,
            log_prob=np.take_along_axis(log_probs, action[:, None], axis=1)[:, 0],
            value=value,
            reward=transition.reward,
            ended=transition.ended,
            bootstrap_value=bootstrap_value,
            window_start=starts,
            legal=legal,
        )
        rollout.add(row, states)
        self.scaling.observe_rewards(transition, experiment.learn.gamma)
        return transition.episodes

    def _evaluated(
        self,
        parts: ObservationParts,
        prev_action: NDArray[np.int64],
        prev_reward: Floats,
        state: State,
        legal: Mask | None = None,
    ) -> tuple[Floats, Floats, State]:
        """Log-probabilities of the actions (N, A), values (N,) and the next state, for one observation of each
        environment. `legal` (N, A): which actions the policy can choose; None: all.
        """
        with torch.inference_mode():
            inputs = inputs_of(parts, prev_action, prev_reward, self.device)
            log_probs, value, state = self.learner.network.policy_and_value(inputs, state, legal=legal)
        return log_probs[0].cpu().numpy(), value[0].cpu().numpy(), state

    def learn(self, experiment: Experiment, count: Counters) -> Iterator[PolicyStats]:
        """Once a rollout is complete: several epochs over its windows, in minibatches of nearly equal numbers of
        windows. A minibatch whose KL divergence is above `target_kl` is the last one (0: never).
        """
        learn, actor = experiment.learn, self.actor
        if len(self.store) < learn.rollout:
            return
        if self.scaling.next == 0 and self.scaling.active:
            self._set_units(learn.gamma)  # the first rollout only measures: it was acted in other units
            return
        unit = self.learner.network.reward_unit
        prev_reward = unit.learned(actor.prev_reward)
        _, last_value, _ = self._evaluated(actor.parts, actor.prev_action, prev_reward, actor.state)
        windows = self.store.windows(gamma=learn.gamma, trace=learn.gae_lambda, unit=unit, last_value=last_value)
        explained = windows.explained
        minibatches = max(1, round(len(windows) / learn.batch_size))
        orders = (self.generators.sampling.permutation(len(windows)) for _ in range(learn.epochs))
        parts = (part for order in orders for part in np.array_split(order, minibatches))
        for made, part in enumerate(parts, 1):
            stats = self.learner.update(windows.minibatch(part), experiment, explained)
            limited = learn.target_kl > 0
            last = made == learn.epochs * minibatches or (limited and stats.kl > learn.target_kl)
            yield replace(stats, epochs=made / minibatches) if last and limited else stats
            if last:
                break
        self._set_units(learn.gamma)

    def _set_units(self, gamma: float) -> None:
        """Forget the rollout, and set the units for the next one: within a rollout they stay the same."""
        self.store.clear()
        self.scaling.set_units(gamma)

    def not_finite(self) -> Text | None:
        rows = self.store.rows
        if not all(np.isfinite(row.reward).all() for row in rows):
            return say("train.reward")
        observed = (part for row in rows for part in row.observation.values())
        return None if all(np.isfinite(part).all() for part in observed) else say("train.observation")

    def check_room(self, arrays: Mapping[str, Any]) -> None:
        """A rollout is small."""

    def cut_off(self, lost: NDArray[np.bool_], last: ObservationParts, legal: Mask | None) -> None:
        actor = self.actor
        prev_reward = self.learner.network.reward_unit.learned(actor.prev_reward)
        _, value, _ = self._evaluated(last, actor.prev_action, prev_reward, actor.state)
        self.scaling.abandon(lost)
        self.store.cut_off(lost, value)


def sampled_actions(log_probs: Floats, generator: np.random.Generator) -> NDArray[np.int64]:
    """One random action for each row of log-probabilities, (N, A) -> (N,), by inverting the cumulative distribution."""
    cumulative = np.exp(log_probs.astype(np.float64)).cumsum(axis=1)
    thresholds = generator.random(len(log_probs))[:, None] * cumulative[:, -1:]
    last = (cumulative < cumulative[:, -1:]).sum(axis=1)  # a rounded threshold chooses no action of probability 0
    return np.minimum((cumulative <= thresholds).sum(axis=1), last)
