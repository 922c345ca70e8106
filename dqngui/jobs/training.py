"""A training run of any algorithm: its knobs, counters, evaluation, and saving and restoring bit for bit."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Any

from msgspec import UNSET

from dqngui import catalog
from dqngui.config import Experiment, Schedule, number
from dqngui.envs.make import LONGEST_GREEDY, make_vector
from dqngui.envs.seeds import SELECTION_SEEDS, TEST_SEEDS
from dqngui.envs.task_facts import time_limit_of
from dqngui.envs.vector import Envs
from dqngui.jobs.knobs import Knobs
from dqngui.learning.acting import FinishedEpisode
from dqngui.learning.algorithm import Algorithm, Generators, Learner, UpdateStats, measured_stats, under
from dqngui.learning.counters import Counters, next_multiple
from dqngui.learning.devices import resolve_device
from dqngui.learning.evaluation import Evaluation, EvaluationLimits, evaluation, longest_greedy, step_budget
from dqngui.learning.outside import Outside
from dqngui.learning.replay_saving import GrownRows
from dqngui.messages import EpisodeEnded, KnobChanged, KnobRefused, SetKnob
from dqngui.texts import Text, say


class NotFinite(FloatingPointError):
    """An update's loss or gradient is NaN or infinite, so that the parameters are useless.

    Attributes:
        text: what happened and what may help.
        stats: what the update measured, by the fields of `messages.Learned`.
    """

    def __init__(self, text: Text, stats: dict[str, float]) -> None:
        super().__init__(str(text))
        self.text, self.stats = text, stats


class Training:
    """Environments, algorithm, knobs and counters of one run.

    Nothing here draws from a global generator: each part has its own, derived from the run's seed.

    Attributes:
        outside: the context in which environments are called.
    """

    def __init__(self, experiment: Experiment) -> None:
        self.knobs = Knobs(experiment)
        self.device = resolve_device(experiment.run.device)
        self.outside = Outside(experiment.run.threads)
        with self.outside:
            self.envs = make_vector(experiment.env)
        self.spaces = self.envs.spaces
        self.time_limit = time_limit_of(self.envs.envs[0])
        self._evaluation_envs: Envs | None = None
        self.generators = Generators(experiment.run.seed)
        make = catalog.load(catalog.ALGORITHMS[experiment.learn.algorithm])
        self.algorithm: Algorithm = make(experiment, self.envs, self.device, self.generators)
        self.algorithm.actor.outside = self.outside
        self.counters = Counters.of(experiment)

    @property
    def experiment(self) -> Experiment:
        """The experiment with the present values of the live settings."""
        return self.knobs.experiment

    @property
    def present(self) -> Experiment:
        """The same with the present number in place of each schedule: what the algorithm reads."""
        return self.knobs.at(self.counters.step)

    @property
    def learning_rate(self) -> float | None:
        """Present learning rate where it changes by itself, by a schedule or a warm-up; None where it does not."""
        learn = self.experiment.learn
        if not isinstance(learn.lr, Schedule) and learn.lr_warmup == 0:
            return None
        return number(self.present.learn.lr) * self.learner.optimizer.warmed_up

    @property
    def learner(self) -> Learner:
        """The networks and their optimizer."""
        return self.algorithm.learner

    @property
    def epsilon(self) -> float | None:
        """Present share of random actions; None if the policy itself explores."""
        count = self.counters
        return self.algorithm.exploration_rate(self.knobs.epsilon(count.step), count)

    @property
    def parameters(self) -> int:
        """Number of parameters of the network that learns."""
        return self.learner.flat.values.numel()

    def close(self) -> None:
        """Close all environments."""
        with self.outside:
            self.envs.close()
            if self._evaluation_envs is not None:
                self._evaluation_envs.close()

    def set_knob(self, command: SetKnob) -> KnobChanged | KnobRefused:
        """Change a live setting, or refuse with the reason. A shorter period takes effect at once, not when the old one
        ends.
        """
        count = self.counters
        answer = self.knobs.apply(command, count.step)
        learn = self.experiment.learn
        if answer.field == "learn.update_every":
            count.next_update = min(count.next_update, max(count.learn_from, count.step + learn.update_every))
        elif answer.field == "learn.target_every":
            count.next_copy = min(count.next_copy, next_multiple(count.step, learn.target_every))
        return answer

    def begin(self) -> None:
        """Start the first episodes of a new run."""
        self.algorithm.actor.begin()

    # -- one vector step --------------------------------------------------------------------------

    def act(self) -> list[FinishedEpisode]:
        """Step every environment once and store the steps; returns the episodes that ended."""
        episodes = self.algorithm.act(self.present, self.counters, self.epsilon)
        self.counters.step += len(self.envs)
        for episode in episodes:
            self.counters.longest_episode = max(self.counters.longest_episode, episode.length)
        return episodes

    def learn(self) -> int:
        """Make the updates that are due; returns their number. Raises NotFinite."""
        before = self.counters.updates
        for stats in self.algorithm.learn(self.present, self.counters):
            self.count_update(stats)
        return self.counters.updates - before

    def count_update(self, stats: UpdateStats) -> None:
        """Add an update to the counters. Raises NotFinite if its loss or gradient is not finite."""
        if not (math.isfinite(stats.loss) and math.isfinite(stats.grad_norm)):
            what, value = say("train.loss"), stats.loss
            if math.isfinite(stats.loss):
                what, value = say("train.gradient"), stats.grad_norm
            text = say("train.not_finite", what=what, value=value, step=self.counters.step, remedy=self._remedy())
            raise NotFinite(text, dict(measured_stats(stats)))
        count = self.counters
        count.updates += 1
        count.rows += 1
        for name, value in measured_stats(stats):
            count.sums[name] = count.sums.get(name, 0.0) + value
            count.counts[name] = count.counts.get(name, 0) + 1

    def _remedy(self) -> Text:
        """Advice for numbers that are not finite: the environment may have sent them."""
        sent = self.algorithm.not_finite()
        if sent is not None:
            return say("train.sent_not_finite", environment=self.experiment.env.id, what=sent)
        return say("train.remedy")

    # -- evaluation -------------------------------------------------------------------------------

    @property
    def longest_greedy(self) -> int:
        """Steps after which a greedy episode is cut now."""
        running = max(len(actions) for actions in self.algorithm.actor.actions_so_far)
        return longest_greedy(max(self.counters.longest_episode, running), self.time_limit, LONGEST_GREEDY)

    @property
    def step_budget(self) -> float:
        """Steps that an evaluation and its confirmations may make now."""
        count = self.counters
        return step_budget(count.step, count.evaluation_steps, self.experiment.run, self.time_limit)

    def evaluation(self, budget: float) -> Generator[int, None, Evaluation]:
        """Greedy episodes on the next block of selection seeds; yields as `learning.evaluation` does.

        Args:
            budget: steps that remain for the block; one episode of full length is always affordable.
        """
        episodes = self.experiment.run.eval_episodes
        blocks = (TEST_SEEDS - SELECTION_SEEDS) // episodes  # then again from the first one
        first = SELECTION_SEEDS + self.counters.evaluations % blocks * episodes
        self.counters.evaluations += 1
        if self._evaluation_envs is None:
            with self.outside:
                self._evaluation_envs = make_vector(
                    self.experiment.env, min(episodes, 32), longest=LONGEST_GREEDY, like=self.envs, as_possible=True
                )
        longest = self.longest_greedy
        found = yield from evaluation(
            self.learner.policy,
            self._evaluation_envs,
            range(first, first + episodes),
            device=self.device,
            limits=EvaluationLimits(longest, max(budget, longest)),
            outside=self.outside,
        )
        self.counters.evaluation_steps += found.steps
        return found

    # -- saving -----------------------------------------------------------------------------------

    def state(self, *, whole: bool = True) -> tuple[dict[str, Any], dict[str, Any]]:
        """Arrays and plain data from which `restore` continues bit for bit; without `whole`, arrays without those that
        `algorithm.growing` gives.
        """
        meta = {
            "counters": self.counters.saved(),
            "knobs": self.knobs.data(),
            "layout": self.learner.layout,
            **self.generators.states(),
        }
        return self.algorithm.arrays(whole=whole), meta

    def restore(self, arrays: Mapping[str, Any], meta: Mapping[str, Any]) -> Iterator[Text]:
        """Take over a saved state and play the running episodes up to where they were (`load`, `go_on`)."""
        self.load(arrays, meta)
        yield from self.go_on()

    def load(self, arrays: Mapping[str, Any], meta: Mapping[str, Any], grown: Iterable[GrownRows] = ()) -> None:
        """Take over a saved state; no environment moves. Raises an error of any kind for a state that is damaged.

        Args:
            grown: what `algorithm.growing` gave.
        """
        self.knobs.restore(meta["knobs"])
        count = self.counters = counters_of(meta)
        if not self.algorithm.in_rollouts and count.next_update <= count.step:
            raise ValueError("next_update")
        self.generators.restore(meta)
        self.algorithm.load(arrays, meta.get("layout"), grown)

    def go_on(self) -> Iterator[Text]:
        """Play the running episodes of a loaded state; yields a text for everything that could not be restored."""
        lost = self.algorithm.go_on()
        if lost:
            yield say("train.not_repeated", environment=self.experiment.env.id, count=lost)

    def inherit(self, arrays: Mapping[str, Any], meta: Mapping[str, Any]) -> tuple[list[str], list[str]]:
        """Take over the parameters that fit from the saved state of another experiment, and start after its last step.

        Optimizer, replay, generators and episodes start anew. Until the replay is filled again, actions are random as
        at the start of a run, unless the whole network was taken over: then the network acts.
        The episodes start with `begin`. Raises an error of any kind for a state that is damaged.
        Returns the names of the parameters that were taken over, and of those that were not.
        """
        past = counters_of(meta)
        layout = [(name, tuple(shape)) for name, shape in meta["layout"]]
        kept = self.learner.take_over(under("learner", arrays), layout)
        self.algorithm.scaling.take_over(under("scaling", arrays))
        fresh = [name for name, _ in self.learner.layout if name not in kept]
        self.knobs.manual = dict(meta["knobs"]["manual"])
        count = self.counters = Counters.of(self.experiment, past.step)
        count.updates, count.row_updates = past.updates, past.updates
        count.seconds, count.row_seconds = past.seconds, past.seconds
        if not fresh:
            count.random_until = past.step
        return kept, fresh


def ended(step: int, episode: FinishedEpisode) -> EpisodeEnded:
    """The event of an episode that ended at this step of the run."""
    return EpisodeEnded(
        step=step,
        ret=episode.ret,
        length=episode.length,
        truncated=episode.truncated,
        env=episode.env,
        episode=episode.number,
        measures=dict(episode.measures) or UNSET,
    )


def counters_of(meta: Mapping[str, Any]) -> Counters:
    """The counters of a saved state."""
    return Counters.from_saved(meta["counters"], meta["knobs"]["learn"]["warmup"])
