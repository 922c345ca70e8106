"""Everything a training run consists of, and how it is saved and brought back bit for bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from dqngui.config import Experiment
from dqngui.envs.make import LONGEST_GREEDY, make_vector
from dqngui.envs.seeds import SELECTION_SEEDS, TEST_SEEDS
from dqngui.envs.vector import Envs
from dqngui.jobs.knobs import Knobs
from dqngui.learning.acting import Actor, Episode
from dqngui.learning.devices import resolve_device
from dqngui.learning.dqn import DQN, UpdateStats
from dqngui.learning.evaluation import evaluate
from dqngui.learning.exploration import epsilon_ladder
from dqngui.learning.replay import Pairs, Replay
from dqngui.learning.windows import WindowRule
from dqngui.messages import KnobChanged, KnobRefused, SetKnob

_MOST_TOGETHER = 8192
"""Windows drawn at once at most, so that many updates of large batches of pictures fit into memory."""


@dataclass(slots=True)
class Counters:
    """Where a run stands; all of it is saved.

    Attributes:
        step: environment steps since the run began.
        updates: gradient steps since then.
        random_until: every action is random before this step.
        learn_from: step of the first update, once the replay has been filled.
        next_update, next_copy, next_row, next_evaluation, next_checkpoint: steps at which each is due.
        evaluations: blocks of evaluation seeds used so far.
        best: highest confirmed evaluation.
        sums: loss, |TD error|, q and gradient norm summed since the last row; `rows` how many updates that are.
        starved: an update found no window in a full replay, and the user was told.
        row_step, row_seconds, row_updates: when the last row was written.
        seconds: wall seconds of training.
    """

    step: int = 0
    updates: int = 0
    random_until: int = 0
    learn_from: int = 0
    next_update: int = 0
    next_copy: int = 0
    next_row: int = 0
    next_evaluation: int = 0
    next_checkpoint: int = 0
    evaluations: int = 0
    best: float | None = None
    sums: list[float] = field(default_factory=lambda: [0.0] * 4)
    rows: int = 0
    starved: bool = False
    row_step: int = 0
    row_seconds: float = 0.0
    row_updates: int = 0
    seconds: float = 0.0

    @classmethod
    def of(cls, experiment: Experiment, step: int = 0) -> Counters:
        """The counters of an experiment whose replay is empty at this step."""
        run, learn = experiment.run, experiment.learn
        first = step + max(learn.warmup, 1)
        return cls(
            step=step,
            random_until=step + learn.warmup,
            learn_from=first,
            next_update=first,
            next_copy=next_multiple(step, learn.target_every),
            next_row=next_multiple(step, run.log_every),
            next_evaluation=next_multiple(step, run.eval_every) if run.eval_every else 0,
            next_checkpoint=next_multiple(step, run.checkpoint_every),
            row_step=step,
        )


class Training:
    """Environments, replay, actor and learner of one run.

    Nothing in it draws from a global generator: parameters, exploration and replay each have their own,
    derived from the run's seed.
    """

    def __init__(self, experiment: Experiment) -> None:
        self.knobs = Knobs(experiment)
        run, learn = experiment.run, experiment.learn
        self.device = resolve_device(run.device)
        self.envs = make_vector(experiment.env)
        self.spaces = self.envs.spaces
        self._evaluation_envs: Envs | None = None
        seeds = np.random.SeedSequence(run.seed).spawn(3)
        self.exploration, self.sampling = (np.random.Generator(np.random.PCG64(seed)) for seed in seeds[:2])
        parameters = torch.Generator().manual_seed(int(seeds[2].generate_state(1, np.uint64)[0] >> 1))
        self.learner = DQN(self.spaces, experiment, self.device, parameters)
        recurrent = self.learner.context is None
        with torch.inference_mode():
            initial = [part.cpu().numpy() for part in self.learner.online.initial_state(1)]
        self.replay = Replay(
            self.spaces,
            num_envs=len(self.envs),
            capacity=learn.replay_capacity,
            generator=self.sampling,
            initial_state=initial if recurrent else None,
            stride=learn.state_stride,
            prioritized=learn.prioritized,
        )
        self.actor = Actor(
            self.envs,
            self.learner.online,
            run_seed=run.seed,
            reward_scale=learn.reward_scale,
            device=self.device,
            generator=self.exploration,
        )
        self.starving = False  # the last updates that were due found no window in a full replay
        self.counters = Counters.of(experiment)

    @property
    def experiment(self) -> Experiment:
        """With the present values of the live settings."""
        return self.knobs.experiment

    @property
    def epsilon(self) -> float:
        """Present exploration rate; while the replay is first filled every action is random."""
        step = self.counters.step
        return 1.0 if step < self.counters.random_until else self.knobs.epsilon(step)

    @property
    def parameters(self) -> int:
        """Number of the online network's parameters."""
        return self.learner.flat.values.numel()

    def close(self) -> None:
        """Close all environments."""
        self.envs.close()
        if self._evaluation_envs is not None:
            self._evaluation_envs.close()

    def turn(self, command: SetKnob) -> KnobChanged | KnobRefused:
        """Change a live setting, or say why not; a shorter period counts from now, not from when the old one ends."""
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
        self.actor.begin()

    # -- one vector step --------------------------------------------------------------------------

    def act(self) -> list[Episode]:
        """Step every environment once and store what happened; returns the episodes that ended."""
        learn = self.experiment.learn
        count = self.counters
        spread = 0.0 if count.step < count.random_until else learn.epsilon_ladder
        due = self.replay.state_due if self.replay.initial_state is not None else None
        transition = self.actor.step(epsilon_ladder(self.epsilon, len(self.envs), spread), due)
        rule = self.learner.rule(self.experiment) if learn.prioritized else None
        self.replay.add(transition.observation, transition.taken, transition.reward, transition.states, rule)
        if transition.ended.any():
            self.replay.end_episodes(np.flatnonzero(transition.ended), transition.after, transition.truncated)
        count.step += len(self.envs)
        return transition.episodes

    def learn(self) -> int:
        """Make the updates that are due and keep the target network; returns how many updates were made."""
        count, learn = self.counters, self.experiment.learn
        made, due = 0, count.next_update <= count.step
        while count.next_update <= count.step:
            made += self._updates(learn.updates)
            count.next_update += learn.update_every
        if learn.target == "hard" and count.next_copy <= count.step:
            self.learner.copy_to_target()
            count.next_copy = next_multiple(count.step, learn.target_every)
        self.starving = due and made == 0 and self.replay.full
        return made

    def _updates(self, wanted: int) -> int:
        """Make some updates one after another; returns how many there was data for."""
        rule = self.learner.rule(self.experiment)
        # Without memory and priorities, all their batches come from one draw: nothing is added in between.
        learn = self.experiment.learn
        together = 1
        if rule.single_steps and not learn.prioritized:
            together = max(1, _MOST_TOGETHER // learn.batch_size)
        return sum(self._update(rule, min(together, wanted - made)) for made in range(0, wanted, together))

    def _update(self, rule: WindowRule, together: int) -> int:
        learn = self.experiment.learn
        batch = self.replay.sample(learn.batch_size * together, rule, learn.gamma, learn.priority_beta)
        if batch is None:
            return 0
        if isinstance(batch, Pairs):
            stats, priorities = self.learner.update_pairs(batch, together, self.experiment)
        else:
            one, priorities = self.learner.update(batch, self.experiment)
            stats = [one]
        if priorities is not None:
            self.replay.set_priorities(batch.names, priorities)
        for each in stats:
            self._count(each)
        return len(stats)

    def _count(self, stats: UpdateStats) -> None:
        if not (math.isfinite(stats.loss) and math.isfinite(stats.grad_norm)):
            what, value = ("gradient", stats.grad_norm) if math.isfinite(stats.loss) else ("loss", stats.loss)
            raise FloatingPointError(f"the {what} became {value} at step {self.counters.step:,}; {self._remedy()}")
        count = self.counters
        count.updates += 1
        count.rows += 1
        for index, value in enumerate((stats.loss, stats.td_error, stats.q_mean, stats.grad_norm)):
            count.sums[index] += value

    def _remedy(self) -> str:
        """What to do about numbers that are not finite: the environment may have sent them."""
        id = self.experiment.env.id
        if not np.isfinite(self.replay.reward).all():
            return f"{id} gave a reward that is not a finite number"
        if not all(np.isfinite(part).all() for part in self.replay.observation.values()):
            return f"{id} gave an observation that is not a finite number"
        return "a smaller learning rate, a smaller reward scale or a lower gradient clip may help"

    # -- evaluation -------------------------------------------------------------------------------

    def evaluate(self, interrupted: Callable[[], bool] = lambda: False) -> tuple[tuple[float, ...], tuple[int, ...]]:
        """Greedy returns and lengths on the next block of seeds for choosing a checkpoint. Raises Interrupted."""
        episodes = self.experiment.run.eval_episodes
        blocks = (TEST_SEEDS - SELECTION_SEEDS) // episodes  # then the first ones come again, never those of a test
        first = SELECTION_SEEDS + self.counters.evaluations % blocks * episodes
        self.counters.evaluations += 1
        if self._evaluation_envs is None:
            self._evaluation_envs = make_vector(self.experiment.env, min(episodes, 32), longest=LONGEST_GREEDY)
        return evaluate(
            self.learner.policy,
            self._evaluation_envs,
            range(first, first + episodes),
            reward_scale=self.experiment.learn.reward_scale,
            device=self.device,
            interrupted=interrupted,
        )

    # -- saving -----------------------------------------------------------------------------------

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Arrays and plain data from which `restore` continues bit for bit."""
        parts: dict[str, Mapping[str, Any]] = {
            "learner": self.learner.arrays(),
            "replay": self.replay.arrays(),
            "actor": self.actor.arrays(),
        }
        arrays = {f"{name}/{key}": value for name, part in parts.items() for key, value in part.items()}
        meta = {
            "counters": {name: getattr(self.counters, name) for name in Counters.__slots__},
            "knobs": self.knobs.data(),
            "layout": self.learner.layout,
            "exploration": self.exploration.bit_generator.state,
            "sampling": self.sampling.bit_generator.state,
        }
        return arrays, meta

    def restore(self, arrays: Mapping[str, Any], meta: Mapping[str, Any]) -> Iterator[str]:
        """Take over a saved state and play the running episodes up to where they were.

        Yields a sentence for everything that could not be brought back.
        """
        self.knobs.restore(meta["knobs"])
        self.counters = counters_of(meta)
        self.learner.restore(_under("learner", arrays))
        self.replay.restore({key: np.asarray(value) for key, value in _under("replay", arrays).items()})
        self.actor.restore({key: np.asarray(value) for key, value in _under("actor", arrays).items()})
        self.exploration.bit_generator.state = meta["exploration"]
        self.sampling.bit_generator.state = meta["sampling"]
        wanted = self.actor.parts
        self.actor.replay_running()
        same = ~self.envs.ended
        for name, part in wanted.items():
            same &= np.array([np.array_equal(a, b) for a, b in zip(part, self.actor.parts[name], strict=True)])
        if not same.all():
            lost = ~same
            self.replay.end_episodes(np.flatnonzero(lost), wanted, np.ones(len(self.envs), dtype=bool))
            self.actor.abandon(lost)
            yield (
                f"{self.experiment.env.id} does not repeat an episode from its seed and actions: "
                f"{int(lost.sum())} running episodes were abandoned"
            )

    def inherit(self, arrays: Mapping[str, Any], meta: Mapping[str, Any]) -> tuple[list[str], list[str]]:
        """Take over the parameters that fit from the saved state of another experiment, and begin behind its steps.

        Optimizer, replay, generators and episodes start anew. Until the replay is filled again, actions are random as
        at the start of a run, unless the whole network was taken over: then it plays for itself.
        Returns the names of the parameters that were taken over, and of those that were not.
        """
        past = counters_of(meta)
        layout = [(name, tuple(shape)) for name, shape in meta["layout"]]
        kept = self.learner.take_over(_under("learner", arrays), layout)
        fresh = [name for name, _ in self.learner.layout if name not in kept]
        self.knobs.manual = dict(meta["knobs"]["manual"])
        count = self.counters = Counters.of(self.experiment, past.step)
        count.updates, count.row_updates = past.updates, past.updates
        count.seconds, count.row_seconds = past.seconds, past.seconds
        if not fresh:
            count.random_until = past.step
        self.actor.begin()
        return kept, fresh


def counters_of(meta: Mapping[str, Any]) -> Counters:
    """The counters of a saved state."""
    saved = meta["counters"]
    warmup = meta["knobs"]["learn"]["warmup"]
    return Counters(**{"random_until": warmup, "learn_from": max(warmup, 1), **saved})  # older states lack these


def next_multiple(step: int, every: int) -> int:
    """The next multiple of `every` behind `step`."""
    return step - step % every + every


def _under(prefix: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    return {key.split("/", 1)[1]: value for key, value in arrays.items() if key.startswith(f"{prefix}/")}
