"""The views of the Compare card: each shows one side of a comparison, and says what an exported figure needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from dqngui.comparison.charts import Chart, curves_chart, profiles_chart
from dqngui.comparison.dimensions import score_dimension, setting_dimensions, slots
from dqngui.comparison.figures import (
    Estimate,
    GroupFigures,
    figures,
    improvements,
    profile_thresholds,
    profiles,
)
from dqngui.comparison.groups import Group, Grouping
from dqngui.comparison.importance import importances
from dqngui.comparison.words import caveats, improvement_text
from dqngui.comparison.writing import curves_csv, figures_csv, profiles_csv, settings_csv
from dqngui.gui.cards.figure import LegendEntry
from dqngui.gui.charts.legend_marker import Marker
from dqngui.gui.panels.compare.chart_words import (
    AXIS_LABELS,
    SHARE_LABEL,
    STATISTIC_CHOICES,
    STATISTIC_NAMES,
    curve_notes,
    profile_notes,
    score_label,
    value_label,
)
from dqngui.gui.panels.compare.crossed_view import CrossedView
from dqngui.gui.panels.compare.group_style import group_dash, group_token
from dqngui.gui.panels.compare.lines_chart import LinesChart
from dqngui.gui.panels.compare.options import Options
from dqngui.gui.panels.compare.painted_charts import IntervalsChart, ParallelChart, ScatterChart
from dqngui.gui.panels.compare.text_table import TextTable
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.plain_label import plain_label
from dqngui.gui.widgets.scroll_area import ScrollArea
from dqngui.statistics import decimals
from dqngui.texts import sentence
from dqngui.texts.numbers import measured, minus

MOST_AXES, MOST_ROWS = 9, 8
EXPLAINS = "explains"
EXPLAINS_TIP = (
    "Share of the scores' variance that lies between the values of\nthe setting, if random orders seldom reach it. "
    "Settings that always\ndiffer together explain the same."
)
INTERVAL = "95\u00a0% interval"


class View(Protocol):
    """One view of a comparison."""

    def show_grouping(self, grouping: Grouping, options: Options) -> None:
        """Draw these groups."""

    def drawing(self) -> QWidget:
        """A new widget with what an exported figure shows."""

    def notes(self) -> Sequence[str]:
        """What one must know to read it."""

    def value_label(self) -> str:
        """The name of the values' axis; empty where the drawing has it."""

    def csv(self) -> str:
        """The data behind it."""

    def restyle(self, theme: Theme) -> None:
        """Use the colours of a theme."""


def legend_of(view: View, groups: Sequence[Group]) -> list[LegendEntry]:
    """Names of groups with the number of the runs that a view draws."""
    counts = [len(each.runs) for each in groups]
    if isinstance(view, LinesChart):
        counts = [line.count for line in view.chart.lines]
    return [
        LegendEntry(f"{group.name} · n = {count}", _marker(group, len(groups), isinstance(view, LinesChart)))
        for group, count in zip(groups, counts, strict=True)
    ]


def _marker(group: Group, count: int, band: bool = False) -> Marker:
    return Marker(group_token(group.slot, count), "line", group_dash(group.slot, count), band)


class CurvesView(LinesChart):
    """Learning curves of the groups."""

    def show_grouping(self, grouping: Grouping, options: Options) -> None:
        self._options = options
        chart, self._curves = curves_chart(
            grouping,
            options.axis,
            options.statistic,
            options.smoothed,
            runs=options.runs,
            measure=options.score.measure,
        )
        self.show_chart(chart, AXIS_LABELS[options.axis], self.value_label())

    def drawing(self) -> QWidget:
        return _copied(self.chart, self.label.text(), self.value_label())

    def notes(self) -> Sequence[str]:
        options = self._options
        return curve_notes(self.chart, options.statistic, options.smoothed, options.runs)

    def value_label(self) -> str:
        return value_label(self._options.score)

    def csv(self) -> str:
        names = [line.name for line in self.chart.lines]
        return curves_csv(names, self._curves, self._options.axis, self._options.statistic)


class ProfileView(LinesChart):
    """Performance profiles of the groups."""

    def show_grouping(self, grouping: Grouping, options: Options) -> None:
        self._figures, self._options = figures(grouping, options.score), options
        self.show_chart(profiles_chart(self._figures), score_label(options.score), SHARE_LABEL, from_zero=False)

    def drawing(self) -> QWidget:
        return _copied(self.chart, self.label.text(), SHARE_LABEL, from_zero=False)

    def notes(self) -> Sequence[str]:
        return profile_notes(self.chart)

    def value_label(self) -> str:
        return SHARE_LABEL

    def csv(self) -> str:
        thresholds = profile_thresholds(self._figures)
        names = [each.group.name for each in self._figures]
        return profiles_csv(names, thresholds, profiles(self._figures, thresholds), self._options.score.title)


def _copied(chart: Chart, x_label: str, y_label: str, *, from_zero: bool = True) -> LinesChart:
    copied = LinesChart()
    copied.show_chart(chart, x_label, y_label, from_zero=from_zero)
    return copied


class FiguresView(QWidget):
    """The final figures: an estimate with its interval for each group, a table, and which group is better."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.chart = IntervalsChart()
        self.table = TextTable("Final figures")
        self.verdicts = plain_label()
        self.verdicts.setWordWrap(True)
        self.verdicts.setMargin(8)
        self.verdicts.setAlignment(Qt.AlignmentFlag.AlignTop)
        content = QWidget()
        inside = QVBoxLayout(content)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(4)
        inside.addWidget(self.chart, 1)
        inside.addWidget(self.table)
        inside.addWidget(self.verdicts)
        scrolled = ScrollArea(content)
        scrolled.setAccessibleName("Final figures and which group is better")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(scrolled)

    def show_grouping(self, grouping: Grouping, options: Options) -> None:
        self._figures, self._options = figures(grouping, options.score), options
        self.chart.show_figures(self._figures, self._estimates(), self._label())
        head = ["group", "n", "mean", INTERVAL, "IQM", INTERVAL, "median", INTERVAL]
        rows = [
            [each.group.name, _count(each), *_cells(each.mean), *_cells(each.iqm), *_cells(each.median)]
            for each in self._figures
        ]
        markers = [_marker(each.group, len(self._figures)) for each in self._figures]
        self.table.texts.fill(head, rows, markers, numbers=True)
        self.table.fit()
        self.table.hold_rows(MOST_ROWS)
        names = [group.name for group in grouping.groups]
        pairs = improvements(self._figures, options.score)
        pairs.sort(key=lambda pair: pair.verdict is None)
        said = [sentence(improvement_text(pair, names)) for pair in pairs]
        said += [sentence(caveat) for caveat in caveats(self._figures, grouping, pairs)]
        self.verdicts.setText("\n".join(said))

    def _estimates(self) -> list[Estimate]:
        return [getattr(each, self._options.statistic) for each in self._figures]

    def _label(self) -> str:
        return f"{STATISTIC_CHOICES[self._options.statistic]} of the {score_label(self._options.score)}"

    def drawing(self) -> QWidget:
        chart = IntervalsChart()
        chart.show_figures(self._figures, self._estimates(), self._label())
        return chart

    def notes(self) -> Sequence[str]:
        return [
            f"large dot: {STATISTIC_NAMES[self._options.statistic]}",
            f"bar: its {INTERVAL}",
            "small dots: the runs",
        ]

    def value_label(self) -> str:
        return ""

    def csv(self) -> str:
        return figures_csv(self._figures, self._options.score.title)

    def restyle(self, theme: Theme) -> None:
        self.table.restyle(theme)
        self.chart.update()


def _count(each: GroupFigures) -> str:
    return str(each.count) if each.count == len(each.scores) else f"{each.count} of {len(each.scores)}"


def _cells(estimate: Estimate) -> list[str]:
    if estimate.interval is None:
        return ["–" if np.isnan(estimate.value) else measured(estimate.value), "–"]
    low, high = estimate.interval
    digits = decimals(low, high)
    value, low_text, high_text = (
        minus(f"{round(each, digits) + 0.0:,.{digits}f}") for each in (estimate.value, low, high)
    )
    return [value, f"{low_text} to {high_text}"]


class SettingsView(TextTable):
    """The settings that differ, and what each explains of the scores; muted are those that follow from others or say
    where a run computed.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Settings that differ", parent)

    def show_grouping(self, grouping: Grouping, options: Options) -> None:
        self._grouping, self._options = grouping, options
        found = importances(setting_dimensions(grouping), figures(grouping, options.score))
        explained = {
            path: f"{100 * each.share:.0f}\u00a0%" if each.told else "not above chance" for path, each in found.items()
        }
        self.texts.fill(
            ["setting", *(group.name for group in grouping.groups), "why it differs", EXPLAINS],
            [[each.path, *each.texts, _WHY[each.why], explained.get(each.path, "–")] for each in grouping.differences],
            muted=[each.why in ("derived", "apart") for each in grouping.differences],
            tips={EXPLAINS: EXPLAINS_TIP},
        )
        self.fit()

    def drawing(self) -> QWidget:
        copied = SettingsView()
        copied.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        copied.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        copied.show_grouping(self._grouping, self._options)
        return copied

    def notes(self) -> Sequence[str]:
        return ()

    def value_label(self) -> str:
        return ""

    def csv(self) -> str:
        return settings_csv(self._grouping)


_WHY = {
    "names": "names the groups",
    "follows": "differs with them",
    "derived": "derived, not chosen",
    "apart": "where it computed",
}


class ParallelView(ParallelChart):
    """Runs over the settings in which they differ, with their scores."""

    def show_grouping(self, grouping: Grouping, options: Options) -> None:
        self._grouping, self._options = grouping, options
        found = figures(grouping, options.score)
        settings = [each for each in setting_dimensions(grouping) if len(each.ticks) > 1][: MOST_AXES - 1]
        scores = replace(score_dimension(found, options.score), name=score_label(options.score))
        self.show_runs([*settings, scores], slots(grouping))

    def drawing(self) -> QWidget:
        copied = ParallelView()
        copied.show_grouping(self._grouping, self._options)
        return copied

    def notes(self) -> Sequence[str]:
        return [f"a line: one run · right axis: {score_label(self._options.score)}"]

    def value_label(self) -> str:
        return ""

    def csv(self) -> str:
        return figures_csv(figures(self._grouping, self._options.score), self._options.score.title)

    def restyle(self, theme: Theme) -> None:
        self.update()


class ScatterView(ScatterChart):
    """The score of each run against one setting.

    Attributes:
        settings: dotted and short names of the settings that can be chosen.
    """

    settings: dict[str, str]

    def show_grouping(self, grouping: Grouping, options: Options) -> None:
        self._grouping, self._options = grouping, options
        found = setting_dimensions(grouping)
        self.settings = {each.path: each.name for each in found}
        chosen = next((each for each in found if each.path == options.setting), found[0] if found else None)
        scores = score_dimension(figures(grouping, options.score), options.score)
        super().show_runs(chosen, scores, slots(grouping))

    def drawing(self) -> QWidget:
        copied = ScatterView()
        copied.show_grouping(self._grouping, self._options)
        return copied

    def notes(self) -> Sequence[str]:
        return ["a dot: one run"]

    def value_label(self) -> str:
        return score_label(self._options.score)

    def csv(self) -> str:
        return figures_csv(figures(self._grouping, self._options.score), self._options.score.title)

    def restyle(self, theme: Theme) -> None:
        self.update()


VIEWS: dict[str, tuple[str, type]] = {
    "curves": ("Curves", CurvesView),
    "figures": ("Final figures", FiguresView),
    "profile": ("Profile", ProfileView),
    "settings": ("Settings", SettingsView),
    "parallel": ("Parallel", ParallelView),
    "scatter": ("Scatter", ScatterView),
    "map": ("Heat map", CrossedView),
}
"""The views, by name: what the card calls them, and their classes."""
