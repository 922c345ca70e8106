"""The model of the Return panel: the curves of the open run within a range of steps. It needs no screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dqngui.lab.session.curve import Floats
from dqngui.lab.session.history import History
from dqngui.messages import Evaluated
from dqngui.messages.tested import unseen
from dqngui.statistics import decimals
from dqngui.texts import words
from dqngui.texts.numbers import measured

BENDS = 500  # of the smoothed line; a band with half as many looks the same, and with three times as many takes 25 ms
DOTS = 1000  # places along the steps, with up to three dots each
MARKS = 400  # evaluations drawn at most
Range = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class ReturnDrawn:
    """The open run's curves within a range of steps.

    Attributes:
        dots: (steps, returns) of episodes.
        line: (steps, means) of the last episodes.
        band: (steps, low, high): one standard deviation around the mean, where it is of two episodes or more.
        evaluations: in the order of their steps, with a finite mean.
        best: the evaluation that chose the kept checkpoint, drawn or not.
        ranges: lowest and highest value of episodes and of evaluations; None where there are none.
    """

    dots: tuple[Floats, Floats]
    line: tuple[Floats, Floats]
    band: tuple[Floats, Floats, Floats]
    evaluations: tuple[Evaluated, ...]
    best: Evaluated | None
    ranges: tuple[Range | None, Range | None]

    @property
    def best_in_words(self) -> str:
        """The result of the kept checkpoint, for the card's header: its test, or the evaluation that chose it."""
        return "" if self.best is None else result_in_words(self.best)

    @property
    def best_in_brief(self) -> str:
        """The same without its step."""
        return "" if self.best is None else result_in_words(self.best, where=False)

    @property
    def best_in_full(self) -> str:
        """The same in a sentence, with the number of episodes and what chose the checkpoint."""
        if self.best is None:
            return ""
        if self.best.tested is None:
            return result_in_words(self.best)
        lines = [f"Kept checkpoint, step {self.best.step:,}: test {words(self.best.tested.text())}."]
        if (open_question := unseen(self.best.tested.episodes)) is not None:
            lines.append(words(open_question))
        return "\n".join(lines)


def return_drawn(
    history: History, span: Range, pixels: int, window: int, *, episodes: bool, mean: bool, evaluations: bool
) -> ReturnDrawn:
    """Compute the curves of a history for a plot `pixels` wide; means are over `window` episodes.

    The other arguments select the curves; the best evaluation is always included.
    """
    curve, (x0, x1) = history.returns, span
    nothing = np.empty(0)
    dots = (
        curve.scattered(x0, x1, min(DOTS, pixels)) if episodes else (nothing, nothing)
    )  # more dots would hide the line
    x, means, sd = curve.smoothed(x0, x1, min(2 * pixels, BENDS), window)
    if not mean:
        x, means, sd = x[:0], means[:0], sd[:0]
    low, high = curve.range() or (0.0, 0.0)  # the band must not exceed the range of the returns
    banded = np.flatnonzero(np.isfinite(sd)) if window > 1 else np.empty(0, dtype=np.int64)
    few = np.unique(np.append(banded[::2], banded[-1:]))
    band = x[few], np.clip((means - sd)[few], low, high), np.clip((means + sd)[few], low, high)
    shown = [each for each in history.evaluations if x0 <= each.step <= x1] if evaluations else []
    finite = [each for each in shown if np.isfinite(each.mean)]
    values = [each.mean for each in finite]
    return ReturnDrawn(
        dots,
        (x, means),
        band,
        tuple(_thinned(finite, history.best)),
        history.best,
        (curve.range(x0, x1), (min(values), max(values)) if values else None),
    )


def result_in_words(best: Evaluated, where: bool = True) -> str:
    """`test 420 [401, 439] at 25,000`; of a log without a test `highest evaluation 430 at 25,000`; `where`: with the
    step.
    """
    kind = "test" if best.reported else "highest evaluation"
    at = f" at {best.step:,}" if where else ""
    tested = best.tested
    if tested is None or tested.low is None or tested.high is None:
        return f"{kind} {measured(best.ranking_score)}{at}"
    digits = decimals(tested.low, tested.high)
    mean, low, high = (f"{value:,.{digits}f}" for value in (best.ranking_score, tested.low, tested.high))
    return f"{kind} {mean} [{low}, {high}]{at}".replace("-", "−")


def _thinned(evaluations: Sequence[Evaluated], best: Evaluated | None) -> Sequence[Evaluated]:
    """About `MARKS` evaluations that represent all: the lowest and highest of each group, and the best."""
    if len(evaluations) <= MARKS:
        return evaluations
    block = 2 * -(-len(evaluations) // MARKS)
    kept: dict[int, Evaluated] = {}
    for begin in range(0, len(evaluations), block):
        near = evaluations[begin : begin + block]
        for each in (min(near, key=lambda one: one.mean), max(near, key=lambda one: one.mean)):
            kept[each.step] = each
    if best is not None and any(each is best for each in evaluations):
        kept[best.step] = best
    return sorted(kept.values(), key=lambda each: each.step)
