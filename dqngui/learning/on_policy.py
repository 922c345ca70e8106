"""Learning from what the present policy has just done: its own probabilities choose, and rollouts teach it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from dqngui.config import Experiment
from dqngui.envs.vector import Envs
from dqngui.learning.acting import Actor, Parts, RunningEpisode, inputs_of
from dqngui.learning.algorithm import Algorithm, Generators
from dqngui.learning.counters import Counters
from dqngui.learning.ppo import PPO, PolicyStats
from dqngui.learning.rollout import Floats, Rollout, Row
from dqngui.nets.memory.contract import State
from dqngui.texts import Text, say


class OnPolicy(Algorithm):
    """Rollout, actor and learner of proximal policy optimisation."""

    store_name = "rollout"
    in_rounds = True
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
            reward_scale=experiment.learn.reward_scale,
            device=device,
            generator=generators.exploration,
        )
        context = self.learner.network.context
        self.store = Rollout(envs.spaces, num_envs=len(envs), context=context, states=len(self.actor.initial))

    # -- one vector step --------------------------------------------------------------------------

    def exploration_rate(self, scheduled: float, count: Counters) -> None:
        """The policy itself explores."""

    def act(self, experiment: Experiment, count: Counters, rate: float | None) -> list[RunningEpisode]:
        actor, rollout = self.actor, self.store
        begins = rollout.begins(experiment.learn.window)
        states = [part.cpu().numpy() for part in actor.state] if rollout.states and begins.any() else []
        seen, action, reward = actor.parts, actor.action, actor.reward
        chances, value, state = self._judged(seen, action, reward, actor.state)
        taken = drawn(chances, self.generators.exploration)
        actor.state = state
        transition = actor.move(taken, None)
        beyond = np.zeros_like(value)
        if transition.truncated.any():
            scaled = (transition.reward * actor.reward_scale).astype(np.float32)
            _, last, _ = self._judged(transition.after, taken, scaled, state)
            beyond = np.where(transition.truncated, last, beyond)
        row = Row(
            observation=seen,
            action=action,
            reward=reward,
            taken=taken,
            chance=np.take_along_axis(chances, taken[:, None], axis=1)[:, 0],
            value=value,
            gained=transition.reward.astype(np.float32),
            ended=transition.ended,
            beyond=beyond,
            begins=begins,
        )
        rollout.add(row, states)
        return transition.episodes

    def _judged(
        self, parts: Parts, action: NDArray[np.int64], reward: Floats, state: State
    ) -> tuple[Floats, Floats, State]:
        """Log-probabilities (N, A), values (N,) and the next state."""
        with torch.inference_mode():
            inputs = inputs_of(parts, action, reward, self.device)
            chances, value, state = self.learner.network.judge(inputs, state)
        return chances[0].cpu().numpy(), value[0].cpu().numpy(), state

    def learn(self, experiment: Experiment, count: Counters) -> Iterator[PolicyStats]:
        """Several epochs over the windows of a whole rollout, in minibatches of nearly equal numbers of windows."""
        learn, actor = experiment.learn, self.actor
        if len(self.store) < learn.rollout:
            return
        _, bootstrap, _ = self._judged(actor.parts, actor.action, actor.reward, actor.state)
        lessons = self.store.lessons(
            gamma=learn.gamma, trace=learn.gae_lambda, reward_scale=learn.reward_scale, bootstrap=bootstrap
        )
        explained = lessons.explained
        minibatches = max(1, round(len(lessons) / learn.batch_size))
        for _ in range(learn.epochs):
            order = self.generators.sampling.permutation(len(lessons))
            for which in np.array_split(order, minibatches):
                yield self.learner.update(lessons.take(which), experiment, explained)
        self.store.clear()

    def not_finite(self) -> Text | None:
        rows = self.store.rows
        if not all(np.isfinite(row.gained).all() for row in rows):
            return say("train.reward")
        seen = (part for row in rows for part in row.observation.values())
        return None if all(np.isfinite(part).all() for part in seen) else say("train.observation")

    def cut_off(self, lost: NDArray[np.bool_], last: Parts) -> None:
        _, beyond, _ = self._judged(last, self.actor.action, self.actor.reward, self.actor.state)
        self.store.cut_off(lost, beyond)


def drawn(chances: Floats, generator: np.random.Generator) -> NDArray[np.int64]:
    """One action (N,) of each row of log-probabilities (N, A), by inverting the cumulative distribution."""
    heaped = np.exp(chances.astype(np.float64)).cumsum(axis=1)
    where = generator.random(len(chances))[:, None] * heaped[:, -1:]
    return np.minimum((heaped <= where).sum(axis=1), chances.shape[1] - 1)
