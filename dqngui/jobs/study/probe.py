"""Probing: does the memory hold a hidden fact better than an untrained network, and does the agent use it?

A linear model reads the fact from the memory at each step (Alain and Bengio 2017, arXiv:1610.01644), after noise was
added. Untrained networks with the same architecture read the same episodes, the present observation is read alone, and
a control task has random labels. Whether the fact is used is tested by moving the memory (`moved_states`).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from dqngui.config import ConfigError
from dqngui.envs.facts import facts_of
from dqngui.envs.legal_actions import random_actions
from dqngui.envs.vector import Envs
from dqngui.jobs.agent import LoadedAgent
from dqngui.jobs.study.collecting import Choose, ParallelStep, parallel_steps, study_environments
from dqngui.jobs.study.following import FollowingNetwork, NetworkStep, held_numbers, untrained_networks
from dqngui.jobs.study.linear import Array
from dqngui.jobs.study.moved_states import Following, MovedActing, Patterns, gaps
from dqngui.jobs.study.probe_answer import holding, per_step, shown_by_observation
from dqngui.jobs.study.probe_data import ProbeData, StepData, observed_numbers, projected
from dqngui.jobs.study.probe_scores import StepScores, kinds_of, score_steps
from dqngui.jobs.study.probe_use import Play, Returns, use_of
from dqngui.jobs.study.thresholds import MIN_GAP
from dqngui.messages import AskProbe, Event, Moved, Probed, Progress
from dqngui.nets.trunk import MEMORY_OUTPUT
from dqngui.texts import say

SINCE_START = "time since start"
MAX_STEPS = 1000
"""Largest number of steps of an episode that are played."""
MIN_EPISODES = 20
"""Smallest number of episodes that must have reached a step for a score at that step."""
MAX_KINDS = 32
MOVED_EPISODES = 100
"""Largest number of episodes in which memories are moved."""
MOST_CAUSES = 32
"""Of larger observations this number of random directions is held constant while the memory is moved."""


def facts_to_read(envs: Envs) -> tuple[str, ...]:
    """Names of the facts that can be probed. Starts an episode in the first environment."""
    _, info = envs.envs[0].reset(seed=0)
    return (*facts_of(envs.envs[0], info), SINCE_START)


def readable_views(agent: LoadedAgent) -> tuple[str, ...]:
    """Views that a probe can read: what the memory carries, and its output if that is something else."""
    network = agent.network
    if network.context == 0:
        return ()
    held = tuple(network.state_views())
    return held if network.memory.output_view or MEMORY_OUTPUT in held else (*held, MEMORY_OUTPUT)


def probe(agent: LoadedAgent, question: AskProbe) -> Iterator[Event | None]:
    """Answer a question, yielding None between slices of work. Raises ConfigError if it cannot be answered."""
    if agent.spaces.choices:
        raise ConfigError("study.several_choices")
    views = _views_to_read(agent, question)
    if question.episodes < MIN_EPISODES:
        raise ConfigError("probe.few_episodes", fewest=MIN_EPISODES)
    playing = _Playing(agent, question, views)
    data = ProbeData(question.episodes)
    for step, networks in playing.steps(question.episodes):
        numbers = [
            held_numbers(network, views, each.next_state, each.memory_output)
            for network, each in zip(playing.networks, networks, strict=True)
        ]
        facts = _facts(step, question.fact)
        data.take(step.episode, step.t, numbers, step.judged_q, playing.observed(step), facts)
        yield playing.progress(0.5 * step.done, "play")
    steps = data.steps(MIN_EPISODES)
    if not steps:
        raise ConfigError("probe.few_episodes", fewest=MIN_EPISODES)
    kinds = kinds_of(steps, data.counts, MAX_KINDS)
    # A fact that is the same in every episode, as the time is, is read at all steps by one probe.
    constant = all(np.ptp(step.fact) == 0 for step in steps)
    scores: list[StepScores] = []
    for each in score_steps(steps, kinds, constant and len(np.unique([step.fact[0] for step in steps])) > 1):
        scores.append(each)
        yield playing.progress(0.5 + 0.2 * len(scores) / len(steps), "read")
    spread = max(float(np.concatenate([step.q for step in steps]).std()), 1e-12)
    decisive = [gaps(step.q) >= MIN_GAP * spread for step in steps]
    shown = shown_by_observation(scores)
    moved: Moved | None = None
    observed = shown.all() and any(np.isfinite(each.observation).all() for each in scores)
    reason: Literal["", "constant", "shown"] = "shown" if observed else "constant" if constant else ""
    if not reason:
        moved = yield from playing.move([steps[index] for index in np.flatnonzero(~shown)], kinds, spread, data.every)
    yield _answer(agent.step, question, steps, scores, decisive, kinds, moved, reason)


class _Playing:
    """Plays the agent's episodes, as often as needed, with untrained networks that follow them."""

    def __init__(self, agent: LoadedAgent, question: AskProbe, views: tuple[str, ...]) -> None:
        self._agent, self._question, self._views = agent, question, views
        self._untrained = untrained_networks(agent)
        self.networks = [agent.network, *self._untrained]
        self._sizes = {part.name: part.sizes for part in agent.spaces.parts if part.kind == "discrete"}

    def steps(self, episodes: int) -> Iterator[tuple[ParallelStep, list[NetworkStep]]]:
        """Every step with what the networks made of it, the agent's first."""
        followers = [FollowingNetwork(network) for network in self._untrained]
        for step in self._own_steps(episodes):
            yield step, [NetworkStep.of_agent(step), *(follower.follow(step) for follower in followers)]

    def _own_steps(self, episodes: int, choose: Choose | None = None) -> Iterator[ParallelStep]:
        with study_environments(self._agent, episodes) as envs:
            yield from parallel_steps(self._agent, envs, episodes, MAX_STEPS, facts=True, choose=choose)

    def observed(self, step: ParallelStep, previous_action: bool = False) -> Tensor:
        """The present observation as numbers (n, O)."""
        return observed_numbers(self._agent.network, step.inputs, self._sizes, previous_action)

    def progress(self, share: float, doing: Literal["play", "read", "move"]) -> Progress:
        """Progress of the answer."""
        text = {
            "play": say("study.playing", episodes=self._question.episodes),
            "read": say("study.reading"),
            "move": say("study.moving"),
        }[doing]
        return Progress(step=self._agent.step, number=self._question.number, share=share, text=text)

    def move(
        self, steps: list[StepData], kinds: Array | None, spread: float, every: int
    ) -> Generator[Progress, None, Moved]:
        """Move what is held at these steps; gives what follows."""
        episodes = min(self._question.episodes, MOVED_EPISODES)
        patterns = Patterns(self._agent.network, self._views, kinds, every)
        for each in steps:
            patterns.expect(each.t, each.fact)
        for step in self._own_steps(episodes):
            fact = self._fact(step)
            observed = projected(self.observed(step, previous_action=True), MOST_CAUSES).double().numpy()
            for t, rows in patterns.of(step.t, fact):
                patterns.take(t, rows, step, fact[rows], observed[rows])
            yield self.progress(0.7 + 0.06 * step.done, "move")
        following, returns = Following(patterns, spread, episodes), Returns()
        draw = np.random.default_rng(3)
        moved, random = MovedActing(patterns, randomly=False), MovedActing(patterns, randomly=True)
        plays: dict[Play, Choose | None] = {
            "own": None,
            "moved": lambda step: moved.actions(step, self._fact(step)),
            "random": lambda step: random.actions(step, self._fact(step)),
            "chance": lambda step: random_actions(draw, step.q.shape[-1], len(step.t), step.legal),
        }
        for number, (play, choose) in enumerate(plays.items()):
            returns[play] = np.zeros(episodes)
            for step in self._own_steps(episodes, choose):
                np.add.at(returns[play], step.episode, step.reward)
                if choose is None:
                    following.take(step, self._fact(step))
                yield self.progress(0.76 + 0.06 * (number + step.done), "move")
        return use_of(following, returns)

    def _fact(self, step: ParallelStep) -> Array:
        return np.array([float(value) for value in _facts(step, self._question.fact)])


def _views_to_read(agent: LoadedAgent, question: AskProbe) -> tuple[str, ...]:
    offered = readable_views(agent)
    if not offered:
        raise ConfigError("probe.nothing_held")
    for view in question.views:
        if view not in offered:
            raise ConfigError("probe.not_held", view=view, known=offered)
    return question.views or tuple(name for name in offered if name != MEMORY_OUTPUT) or offered


def _facts(step: ParallelStep, name: str) -> list[float | int]:
    if name == SINCE_START:
        return [float(t) for t in step.t]
    missing = [facts for facts in step.facts if name not in facts]
    if missing:
        raise ConfigError("probe.no_fact", name=name, known=[*missing[0], SINCE_START])
    return [facts[name] for facts in step.facts]


def _answer(
    step: int,
    question: AskProbe,
    steps: list[StepData],
    scores: list[StepScores],
    decisive: list[NDArray[np.bool_]],
    kinds: Array | None,
    moved: Moved | None,
    not_moved: Literal["", "constant", "shown"],
) -> Probed:
    accuracy = kinds is not None
    held, level = holding(steps, scores, decisive, accuracy, MIN_EPISODES)
    known = [each.chance for each in scores if np.isfinite(each.chance)]
    tensors = per_step(steps, scores, decisive, level, accuracy)
    return Probed(
        step=step,
        number=question.number,
        fact=question.fact,
        measure="accuracy" if accuracy else "R²",
        chance=float(np.mean(known)) if known else 0.0,
        tensors=tensors,
        noise=level.noise,
        held=held,
        moved=moved,
        not_moved=not_moved,
    )
