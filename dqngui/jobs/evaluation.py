"""The evaluation of a run: greedy episodes, and further ones that confirm a candidate for the best checkpoint.

Commands are read at every step of the environments. Those that cannot wait interrupt it: it then leaves no event and no
change, so it is made again with the same seeds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from contextlib import closing

from dqngui.jobs.training import Training
from dqngui.learning.best import Block, Verdict, confirmation, is_candidate
from dqngui.learning.counters import next_evaluation
from dqngui.learning.evaluation import Evaluation
from dqngui.messages import Advanced, CheckpointTest, Evaluated, Event, Noted
from dqngui.messages.measures import by_name
from dqngui.runs.recorder import Snapshot
from dqngui.statistics import mean_of
from dqngui.texts import say

Answer = Callable[[], Iterator[Event]]
"""Reads the commands that have come and answers those that it can; raises Interrupted for one that cannot wait."""


def interruptible(
    playing: Generator[int, None, Evaluation], step: int, answer: Answer
) -> Generator[Event, None, Evaluation]:
    """Play greedy episodes to their end; `step` is that of the run.

    `answer` is called at every step of the environments; raises Interrupted when it does.
    """
    with closing(playing):
        while True:
            yield from answer()
            try:
                steps = next(playing)
            except StopIteration as end:
                found: Evaluation = end.value
                return found
            yield Advanced(step=step, evaluation_steps=steps)


def evaluate(
    training: Training, answer: Answer, watched: Callable[[Event], Event]
) -> Generator[Event | Snapshot, None, bool]:
    """Evaluate; a candidate for the best checkpoint, or for stopping, must be confirmed on other seeds.

    `answer` reads commands, and `watched` sees the event of the evaluation first. Returns whether both evaluations
    reached `run.stop_at`.
    Raises Interrupted, without a logged event or a change.
    """
    count = training.counters
    goal, used = training.experiment.run.stop_at, (count.evaluations, count.evaluation_steps)
    standing, blocks = count.standing, _Blocks(training, answer)
    found: Verdict | None = None
    try:
        block = yield from blocks.play()
        returns, mean = block.returns, mean_of(block.returns)
        spare = used[0] + 1 - 2 * count.confirmations  # further blocks stay at most about as many as first ones
        if is_candidate(mean, standing, spare) or (goal is not None and goal <= mean < math.inf):
            found = yield from blocks.confirm(confirmation(returns, standing.rank, spare, blocks.affordable))
    except BaseException:  # interrupted, left, or an environment raised an error
        count.evaluations, count.evaluation_steps = used
        raise
    count.note_evaluation(mean)
    count.next_evaluation = next_evaluation(count.step, count.evaluation_steps, training.experiment.run)
    if blocks.cut and not count.cut_told:
        count.cut_told = True
        text = say("train.cut", environment=training.experiment.env.id, steps=blocks.longest)
        yield Noted(step=count.step, text=text)
    yield watched(
        Evaluated(
            step=count.step,
            returns=returns,
            lengths=block.lengths,
            mean=mean,
            seconds=count.seconds,
            measures=by_name(block.measures),
        )
    )
    if not math.isfinite(mean):
        yield Noted(step=count.step, text=say("train.evaluation_not_finite", mean=mean))
    if found is None or found.blocks == 0:
        return False
    count.confirmations += found.blocks
    if found.best:
        count.best, count.best_rank = found.report, found.rank
    yield Evaluated(
        step=count.step,
        returns=found.returns,
        lengths=found.lengths,
        mean=mean_of(found.returns),
        role="confirmation",
        best=found.best,
        score=found.report if found.best else found.rank,
        reported=found.reported,
        tested=_test(found) if found.best else None,
        seconds=count.seconds,
        measures=by_name(found.measures),
    )
    if found.best:
        yield Snapshot(count.step, training.learner.weights(), best=True, state=None)
    return goal is not None and mean >= goal and goal <= mean_of(found.returns) < math.inf


def _test(found: Verdict) -> CheckpointTest | None:
    """The test of the best checkpoint: its last block, which did not choose it."""
    return CheckpointTest.of(found.returns[-found.reported :], found.rank, found.measures[-found.reported :])


class _Blocks:
    """The blocks of one evaluation and its confirmations, which have one budget of steps.

    Attributes:
        longest: steps after which an episode is cut.
        cut: number of episodes that were cut.
    """

    def __init__(self, training: Training, answer: Answer) -> None:
        self.longest, self.cut = training.longest_greedy, 0
        self._training, self._answer = training, answer
        self._end = training.counters.evaluation_steps + training.step_budget

    def affordable(self) -> bool:
        """Whether steps are left."""
        return self._left > 0

    def play(self) -> Generator[Event, None, Block]:
        """Play a block. Raises Interrupted."""
        training = self._training
        found = yield from interruptible(training.evaluation(self._left), training.counters.step, self._answer)
        self.cut += found.cut
        return Block(found.returns, found.lengths, found.measures)

    def confirm(self, confirming: Generator[None, Block, Verdict]) -> Generator[Event, None, Verdict]:
        """Play the blocks that a confirmation wants. Raises Interrupted."""
        try:
            next(confirming)
            while True:
                block = yield from self.play()
                confirming.send(block)
        except StopIteration as end:
            verdict: Verdict = end.value
            return verdict

    @property
    def _left(self) -> float:
        return self._end - self._training.counters.evaluation_steps
