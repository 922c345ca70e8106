"""The counters of a run: steps, updates, and at which step the next update, evaluation or checkpoint is due."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from dqngui.bounded import small_numbers
from dqngui.config import Experiment, RunConfig
from dqngui.learning.best import Standing

_FORMER_SUMS = ("loss", "td_error", "q_mean", "grad_norm")


@dataclass(slots=True)
class Counters:
    """The counters of a run; all of them are saved.

    Attributes:
        step: environment steps since the run began.
        updates: gradient steps since the run began.
        random_until: every action is random before this step.
        learn_from: step of the first update, once the replay has been filled.
        next_update, next_copy, next_row, next_evaluation, next_checkpoint: steps at which each is due.
        evaluations: blocks of evaluation seeds used so far.
        evaluation_steps: environment steps of all evaluations so far.
        confirmations: of `evaluations`, blocks that confirmed or reported a candidate.
        best: reported evaluation of the best checkpoint (`learning.best`).
        best_rank: the mean with which candidates are compared; None in the saved states of earlier versions, whose
            `best` is that mean.
        last_mean, lowest_mean: means of the last and of the worst evaluation; None before the first, and in the saved
            states of earlier versions.
        sums: sums of the statistics of the updates since the last row of the log, by name.
        counts: how many of these updates measured each statistic.
        rows: number of these updates.
        longest_episode: steps of the longest episode that has ended.
        cut_told: an episode of an evaluation was cut, and the log says so.
        starved: an update found no window in a full replay, and the user was warned.
        row_step, row_seconds, row_updates: `step`, `seconds` and `updates` when the last row was written.
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
    evaluation_steps: int = 0
    confirmations: int = 0
    best: float | None = None
    best_rank: float | None = None
    last_mean: float | None = None
    lowest_mean: float | None = None
    sums: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    longest_episode: int = 0
    cut_told: bool = False
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
            next_evaluation=next_evaluation(step, 0, run) if run.eval_every else 0,
            next_checkpoint=next_multiple(step, run.checkpoint_every),
            row_step=step,
        )

    @classmethod
    def from_saved(cls, saved: Mapping[str, Any], warmup: int) -> Counters:
        """The counters of a saved state; its experiment's `warmup` fills in counters that earlier versions did not
        have.

        Raises KeyError, TypeError or ValueError for counters that no run has.
        """
        sums = saved["sums"]
        if not isinstance(sums, Mapping):
            sums = dict(zip(_FORMER_SUMS, sums, strict=True))
        counts = saved.get("counts", dict.fromkeys(sums, saved["rows"]))
        former = {"random_until": warmup, "learn_from": max(warmup, 1)}
        found = msgspec.convert({**former, **saved, "sums": dict(sums), "counts": dict(counts)}, cls)
        numbers = [value for name in cls.__slots__ if isinstance(value := getattr(found, name), int)]
        if min(*numbers, *found.counts.values(), 0) < 0 or not small_numbers([*numbers, *found.counts.values()]):
            raise ValueError("counters")
        if not (0 <= found.seconds < 1e15 and 0 <= found.row_seconds < 1e15):
            raise ValueError("seconds")
        if found.sums.keys() != found.counts.keys() or (found.sums and min(found.counts.values()) < 1):
            raise ValueError("sums")
        return found

    @property
    def standing(self) -> Standing:
        """What the next evaluation is compared with."""
        rank = self.best if self.best_rank is None else self.best_rank
        if rank is not None and not math.isfinite(rank):  # chosen by an earlier version
            rank = None
        return Standing(rank, self.last_mean, self.lowest_mean)

    def note_evaluation(self, mean: float) -> None:
        """Keep the mean of an evaluation for the next one."""
        self.last_mean = mean
        if not math.isfinite(mean):
            return
        self.lowest_mean = mean if self.lowest_mean is None else min(mean, self.lowest_mean)

    def saved(self) -> dict[str, Any]:
        """Plain data that `from_saved` takes."""
        return {name: getattr(self, name) for name in Counters.__slots__} | {
            "sums": dict(self.sums),
            "counts": dict(self.counts),
        }


def next_evaluation(step: int, evaluation_steps: int, run: RunConfig) -> int:
    """Step of the next evaluation: a multiple of `run.eval_every`, or the last step.

    It is so late that the evaluations so far are no more than `run.eval_share` of all steps.
    """
    earliest = math.ceil(evaluation_steps * (1 - run.eval_share) / run.eval_share)
    due = next_multiple(max(step, earliest - 1), run.eval_every)
    return min(due, run.total_steps) if step < run.total_steps else due


def next_multiple(step: int, every: int) -> int:
    """The smallest multiple of `every` that is larger than `step`."""
    return step - step % every + every
