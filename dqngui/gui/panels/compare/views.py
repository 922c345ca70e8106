"""The views of the Compare card: each shows one side of a comparison, and says what an exported figure needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from dqngui.comparison.charts import Chart, curves_chart, profiles_chart
from dqngui.comparison.curves import Axis, Statistic
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
from dqngui.comparison.scores import Score
from dqngui.comparison.words import improvement_text
from dqngui.comparison.writing import curves_csv, figures_csv, profiles_csv, settings_csv
from dqngui.gui.cards.figure import LegendEntry
from dqngui.gui.charts.legend_marker import Marker
from dqngui.gui.charts.overlay_style import dash, token
from dqngui.gui.panels.compare.chart_words import (
    AXIS_LABELS,
    RETURN_LABEL,
    SHARE_LABEL,
    STATISTIC_NAMES,
    curve_notes,
    profile_notes,
    score_label,
)
from dqngui.gui.panels.compare.lines_chart import LinesChart
from dqngui.gui.panels.compare.painted_charts import IntervalsChart, ParallelChart, ScatterChart
from dqngui.gui.panels.compare.text_table import TextTable
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.plain_label import plain_label
from dqngui.gui.widgets.scroll_area import ScrollArea
from dqngui.texts import words
from dqngui.texts.numbers import measured

MOST_AXES = 9
INTERVAL = "95\u00a0% interval"


@dataclass(frozen=True, slots=True)
class Options:
    """What a person chose in the header of the card."""

    score: Score
    axis: Axis = "steps"
    statistic: Statistic = "iqm"
    smoothed: int = 1
    runs: bool = True
    setting: str = ""


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


def legend_of(groups: Sequence[Group], band: bool = True) -> list[LegendEntry]:
    """Names of groups with the number of their runs."""
    return [
        LegendEntry(f"{group.name} · n = {len(group.runs)}", Marker(token(group.slot), "line", dash(group.slot), band))
        for group in groups
    ]


class CurvesView(LinesChart):
    """Learning curves of the groups."""

    def show_grouping(self, grouping: Grouping, options: Options) -> None:
        self._options = options
        chart, self._curves = curves_chart(
            grouping, options.axis, options.statistic, options.smoothed, runs=options.runs
        )
        self.show_chart(chart, AXIS_LABELS[options.axis], RETURN_LABEL)

    def drawing(self) -> QWidget:
        return _copied(self.chart, self.label.text(), RETURN_LABEL)

    def notes(self) -> Sequence[str]:
        options = self._options
        return curve_notes(self.chart, options.statistic, options.smoothed, options.runs)

    def value_label(self) -> str:
        return RETURN_LABEL

    def csv(self) -> str:
        names = [line.name for line in self.chart.lines]
        return curves_csv(names, self._curves, self._options.axis, self._options.statistic)


class ProfileView(LinesChart):
    """Performance profiles of the groups."""

    def show_grouping(self, grouping: Grouping, options: Options) -> None:
        self._figures, self._options = figures(grouping, options.score), options
        self.show_chart(profiles_chart(self._figures), score_label(options.score.name), SHARE_LABEL)

    def drawing(self) -> QWidget:
        return _copied(self.chart, self.label.text(), SHARE_LABEL)

    def notes(self) -> Sequence[str]:
        return profile_notes(self.chart)

    def value_label(self) -> str:
        return SHARE_LABEL

    def csv(self) -> str:
        thresholds = profile_thresholds(self._figures)
        names = [each.group.name for each in self._figures]
        return profiles_csv(names, thresholds, profiles(self._figures, thresholds), self._options.score.name)


def _copied(chart: Chart, x_label: str, y_label: str) -> LinesChart:
    copied = LinesChart()
    copied.show_chart(chart, x_label, y_label)
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
        self.verdicts.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.MinimumExpanding)
        scrolled = ScrollArea(self.verdicts)
        scrolled.setAccessibleName("Which group is better")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.chart, 2)
        column.addWidget(self.table, 2)
        column.addWidget(scrolled, 1)

    def show_grouping(self, grouping: Grouping, options: Options) -> None:
        self._figures, self._options = figures(grouping, options.score), options
        self.chart.show_figures(self._figures, self._estimates(), self._label())
        head = ["group", "n", "mean", INTERVAL, "IQM", INTERVAL, "median", INTERVAL]
        rows = [
            [each.group.name, _count(each), *_cells(each.mean), *_cells(each.iqm), *_cells(each.median)]
            for each in self._figures
        ]
        markers = [Marker(token(each.group.slot), "line", dash(each.group.slot)) for each in self._figures]
        self.table.texts.fill(head, rows, markers, numbers=True)
        self.table.fit()
        names = [group.name for group in grouping.groups]
        pairs = improvements(self._figures, options.score)
        self.verdicts.setText("\n".join(f"{words(improvement_text(pair, names))}." for pair in pairs))

    def _estimates(self) -> list[Estimate]:
        return [getattr(each, self._options.statistic) for each in self._figures]

    def _label(self) -> str:
        return f"{STATISTIC_NAMES[self._options.statistic]} of the {score_label(self._options.score.name)}"

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
        return figures_csv(self._figures, self._options.score.name)

    def restyle(self, theme: Theme) -> None:
        self.table.restyle(theme)
        self.chart.update()


def _count(each: GroupFigures) -> str:
    return str(each.count) if each.count == len(each.scores) else f"{each.count} of {len(each.scores)}"


def _cells(estimate: Estimate) -> list[str]:
    value = "–" if np.isnan(estimate.value) else measured(estimate.value)
    if estimate.interval is None:
        return [value, "–"]
    return [value, f"{measured(estimate.interval.low, 3)} to {measured(estimate.interval.high, 3)}"]


class SettingsView(TextTable):
    """The settings that differ; muted are those that follow from others or say where a run computed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Settings that differ", parent)

    def show_grouping(self, grouping: Grouping, options: Options) -> None:
        self._grouping = grouping
        self.texts.fill(
            ["setting", *(group.name for group in grouping.groups), "why it differs"],
            [[each.path, *each.texts, _WHY[each.why]] for each in grouping.differences],
            muted=[each.why in ("derived", "apart") for each in grouping.differences],
        )
        self.fit()

    def drawing(self) -> QWidget:
        copied = SettingsView()
        copied.show_grouping(self._grouping, _NO_OPTIONS)
        return copied

    def notes(self) -> Sequence[str]:
        return ()

    def value_label(self) -> str:
        return ""

    def csv(self) -> str:
        return settings_csv(self._grouping)


_NO_OPTIONS = Options(Score("best", lambda _: float("nan")))
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
        settings = setting_dimensions(grouping)[: MOST_AXES - 1]
        self.show_runs([*settings, score_dimension(found, options.score)], slots(grouping))

    def drawing(self) -> QWidget:
        copied = ParallelView()
        copied.show_grouping(self._grouping, self._options)
        return copied

    def notes(self) -> Sequence[str]:
        return [f"a line: one run · right axis: {score_label(self._options.score.name)}"]

    def value_label(self) -> str:
        return ""

    def csv(self) -> str:
        return figures_csv(figures(self._grouping, self._options.score), self._options.score.name)

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
        return score_label(self._options.score.name)

    def csv(self) -> str:
        return figures_csv(figures(self._grouping, self._options.score), self._options.score.name)

    def restyle(self, theme: Theme) -> None:
        self.update()


VIEWS: dict[str, tuple[str, type]] = {
    "curves": ("Curves", CurvesView),
    "figures": ("Final figures", FiguresView),
    "profile": ("Profile", ProfileView),
    "settings": ("Settings", SettingsView),
    "parallel": ("Parallel", ParallelView),
    "scatter": ("Scatter", ScatterView),
}
"""The views, by name: what the card calls them, and their classes."""
