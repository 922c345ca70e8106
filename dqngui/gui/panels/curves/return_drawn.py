"""The model of the Return panel: the curves of the open run within a range of steps. It needs no screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dqngui.lab.session.curve import Floats
from dqngui.lab.session.history import History
from dqngui.messages import Evaluated
from dqngui.messages.measures import averages
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
        evaluations: in the order of their steps, with a finite mean; `values`: their means.
        best: the evaluation that chose the kept checkpoint, drawn or not.
        ranges: lowest and highest value of episodes and of evaluations; None where there are none.
        measure: what is drawn: a measure that the task names; empty for the return.
    """

    dots: tuple[Floats, Floats]
    line: tuple[Floats, Floats]
    band: tuple[Floats, Floats, Floats]
    evaluations: tuple[Evaluated, ...]
    best: Evaluated | None
    ranges: tuple[Range | None, Range | None]
    values: tuple[float, ...]
    measure: str = ""

    @property
    def best_in_words(self) -> str:
        """The result of the kept checkpoint, for the card's header: its test, or the evaluation that chose it."""
        return "" if self.best is None else result_in_words(self.best, measure=self.measure)

    @property
    def best_in_brief(self) -> str:
        """The same without its step."""
        return "" if self.best is None else result_in_words(self.best, where=False, measure=self.measure)

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
    history: History,
    span: Range,
    pixels: int,
    window: int,
    *,
    episodes: bool,
    mean: bool,
    evaluations: bool,
    measure: str = "",
) -> ReturnDrawn:
    """Compute the curves of a history for a plot `pixels` wide; means are over `window` episodes.

    `measure` is drawn, or without one the return. The other arguments select the curves; the best evaluation is always
    included.
    """
    curve, (x0, x1) = history.curve(measure), span
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
    means_of = {id(each): evaluation_mean(each, measure) for each in shown}
    finite = [each for each in shown if np.isfinite(means_of[id(each)])]
    marks = _thinned(finite, history.best, means_of)
    values = [means_of[id(each)] for each in finite]
    return ReturnDrawn(
        dots,
        (x, means),
        band,
        tuple(marks),
        history.best,
        (curve.range(x0, x1), (min(values), max(values)) if values else None),
        tuple(means_of[id(each)] for each in marks),
        measure,
    )


def evaluation_mean(event: Evaluated, measure: str = "") -> float:
    """The mean return of an evaluation, or the mean of a measure; NaN if it has none."""
    return averages(event.measures).get(measure, np.nan) if measure else event.mean


def result_in_words(best: Evaluated, where: bool = True, measure: str = "") -> str:
    """`test 420 [401, 439] at 25,000`; of a log without a test `highest evaluation 430 at 25,000`; `where`: with the
    step. Of a measure, its test, or nothing.
    """
    kind = "test" if best.reported else "highest evaluation"
    at = f" at {best.step:,}" if where else ""
    if measure:
        known = None if best.tested is None else best.tested.known_measures.get(measure)
        return "" if known is None else f"test {_with_interval(known.mean, known.low, known.high)}{at}"
    tested = best.tested
    if tested is None or tested.low is None or tested.high is None:
        return f"{kind} {measured(best.ranking_score)}{at}"
    return f"{kind} {_with_interval(best.ranking_score, tested.low, tested.high)}{at}"


def _with_interval(mean: float, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return measured(mean)
    digits = decimals(low, high)
    texts = [f"{value:,.{digits}f}" for value in (mean, low, high)]
    return f"{texts[0]} [{texts[1]}, {texts[2]}]".replace("-", "−")


def _thinned(
    evaluations: Sequence[Evaluated], best: Evaluated | None, means: Mapping[int, float]
) -> Sequence[Evaluated]:
    """About `MARKS` evaluations that represent all: the lowest and highest of each group, and the best."""
    if len(evaluations) <= MARKS:
        return evaluations
    block = 2 * -(-len(evaluations) // MARKS)
    kept: dict[int, Evaluated] = {}
    for begin in range(0, len(evaluations), block):
        near = evaluations[begin : begin + block]
        for each in (min(near, key=lambda one: means[id(one)]), max(near, key=lambda one: means[id(one)])):
            kept[each.step] = each
    if best is not None and any(each is best for each in evaluations):
        kept[best.step] = best
    return sorted(kept.values(), key=lambda each: each.step)
