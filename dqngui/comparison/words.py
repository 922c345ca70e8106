"""What a comparison says in sentences: the word *better* only where the interval allows it."""

from __future__ import annotations

from collections.abc import Sequence

from dqngui.comparison.figures import GroupFigures, Improvement, uneven_ends
from dqngui.comparison.groups import Grouping
from dqngui.messages.tested import unseen
from dqngui.statistics import MIN_VALUES
from dqngui.texts import Text, say


def improvement_text(pair: Improvement, names: Sequence[str]) -> Text:
    """How often a run of one group beats one of another, and which is better, if that can be said."""
    first, second = names[pair.first], names[pair.second]
    probability, interval = 100 * pair.probability.value, pair.probability.interval
    if interval is None:
        if probability != probability:
            return say("compare.no_scores", first=first, second=second)
        return say("compare.few", first=first, second=second, probability=probability, least=MIN_VALUES)
    low, high = 100 * interval.low, 100 * interval.high
    if pair.verdict == "worse":
        first, second = second, first
        probability, low, high = 100 - probability, 100 - high, 100 - low
    if pair.verdict is not None:
        return say("compare.better", first=first, second=second, probability=probability, low=low, high=high)
    return say("compare.open", first=first, second=second, probability=probability, low=low, high=high)


def caveats(found: Sequence[GroupFigures], grouping: Grouping, pairs: Sequence[Improvement]) -> list[Text]:
    """What else one must know of the figures: several comparisons at once, few seeds, runs of different lengths."""
    said = [say("compare.each_alone", count=len(pairs))] if len(pairs) > 1 else []
    counts = [each.count for each in found if each.count > 1]
    if counts and (open_question := unseen(min(counts), "seeds")) is not None:
        said.append(open_question)
    if (ends := uneven_ends(grouping)) is not None:
        said.append(say("compare.uneven", first=ends[0], last=ends[1]))
    return said


def skipped_text(name: str, error: Exception) -> Text:
    """Why a run is left out of a comparison."""
    return say("compare.skipped", name=name, problem=error)
