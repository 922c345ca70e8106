"""The Compare panel: chosen runs in groups, with their curves, figures and the settings in which they differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QInputDialog, QStackedWidget, QVBoxLayout, QWidget

from dqngui.comparison.again import commands
from dqngui.comparison.crossed import crossable
from dqngui.comparison.groups import Grouping
from dqngui.comparison.scores import MMER, STEPS_TO, measures_of, score_named
from dqngui.config import ConfigError
from dqngui.gui.cards.figure import Figure
from dqngui.gui.cards.panel import Panel, Sources
from dqngui.gui.cards.paper_figure import COLUMNS, KINDS, copied, save_paper
from dqngui.gui.panels.compare.chart_words import AXIS_CHOICES, SMOOTHING_CHOICES, STATISTIC_CHOICES
from dqngui.gui.panels.compare.crossed_view import CrossedView
from dqngui.gui.panels.compare.group_legend import GroupLegend
from dqngui.gui.panels.compare.options import Options
from dqngui.gui.panels.compare.views import VIEWS, View, legend_of
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.choice_button import ChoiceButton
from dqngui.gui.widgets.note import Note
from dqngui.gui.widgets.save_dialog import ask_save_path
from dqngui.lab.library.compared import Compared
from dqngui.texts import say, sentence, words
from dqngui.texts.numbers import measured

ASK, RETURN_KEY = "ask", "(return)"
PART = (0.5, 0.75, 0.9)  # of the range of all evaluations: returns that are offered for *steps to*
LEGEND_VIEWS = ("curves", "profile", "parallel", "scatter")
CHOICES = {
    "curves": ("statistic", "axis", "smoothing"),
    "figures": ("statistic", "score"),
    "profile": ("score",),
    "settings": ("score",),
    "parallel": ("score",),
    "scatter": ("score", "setting"),
    "map": ("statistic", "score", "rows", "columns"),
}  # the choices in the header that each view has


class ComparePanel(Panel):
    """Shows the runs that were chosen in the list of runs.

    Attributes:
        name: the present view, a key of `VIEWS`.
        options: what was chosen in the header.
    """

    title = "Compare"
    promise = (
        "Select runs in the list of runs and choose Compare: they are shown here in groups that differ in more than "
        "their seeds."
    )

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = next(iter(VIEWS))
        self.options = Options(score_named("best"))
        self._before: tuple[Path, ...] = ()  # all that were compared before a cell of the heat map was clicked
        self.legend = GroupLegend(self.content)
        self._stack = QStackedWidget(self.content)
        self._views: dict[str, QWidget] = {}
        self.note = Note(lambda: None)
        column = QVBoxLayout(self.content)
        column.setContentsMargins(4, 2, 4, 6)
        column.setSpacing(4)
        column.addWidget(self.legend)
        column.addWidget(self._stack, 1)
        self.add_below(self.note)
        self.view_choice = ChoiceButton("What is shown of the groups", self)
        self.choices = {
            "statistic": ChoiceButton("What a group's line or dot is", self),
            "axis": ChoiceButton("What the curves are drawn against", self),
            "smoothing": ChoiceButton("Evaluations in a running mean", self),
            "score": ChoiceButton("The one number of a run", self),
            "setting": ChoiceButton("The setting of the horizontal axis", self),
            "rows": ChoiceButton("The setting that has a row for each value", self),
            "columns": ChoiceButton("The setting that has a column for each value", self),
        }
        self.measure_choice = ChoiceButton("What is compared of each episode", self)
        self.header_widgets = [self.view_choice, self.measure_choice, *self.choices.values()]
        self._make_choices()
        self._make_actions()
        self.restyle(themes.current())

    def _make_choices(self) -> None:
        self.view_choice.offer({name: text for name, (text, _) in VIEWS.items()}, self.name, self.show_view)
        self.choices["statistic"].offer(STATISTIC_CHOICES, self.options.statistic, partial(self._set, "statistic"))
        self.choices["axis"].offer(AXIS_CHOICES, self.options.axis, partial(self._set, "axis"))
        self.choices["smoothing"].offer(SMOOTHING_CHOICES, "1", lambda count: self._set("smoothed", int(count)))

    def _make_actions(self) -> None:
        self.compare_all = self.offer(
            "Compare all runs", "chart-bell-curve-cumulative", "All runs in the list of runs", self._choose_all
        )
        self._faint = self.add_menu_action("Hide the single runs", "chart-line-variant", self._toggle_runs)
        self._lower = self.add_menu_action("Less of the measure is better", "arrow-down", self._toggle_lower)
        self._lower.setCheckable(True)
        self._back = self.add_menu_action("Back to all compared runs", "arrow-left", self._go_back)
        self._back.setVisible(False)
        self.add_menu_action("Copy as figure", "content-copy", self.copy_figure).setToolTip(
            "As a picture and as SVG, on white, in the width of a page"
        )
        for text, inches in COLUMNS.values():
            self.add_menu_action(
                f"Save figure, {text} ({inches:g} in)…", "file-image-outline", partial(self._ask_figure, text, inches)
            ).setToolTip("PNG, SVG or PDF, on white, in the size of a paper")
        self.add_menu_action("Export data (CSV)…", "file-delimited-outline", partial(self._ask, "csv", self.export_csv))
        self.add_menu_action("Copy as command", "console-line", self.copy_commands).setToolTip(
            "The lines that train these runs again"
        )
        self.add_menu_action("Clear", "close", self._clear)

    def attach(self, sources: Sources) -> None:
        super().attach(sources)
        sources.library.compared.changed.connect(self._on_compared)
        sources.library.changed.connect(self._on_library)
        sources.library.compared.set_watched(self.in_sight)
        self._on_library()

    @property
    def _compared(self) -> Compared | None:
        return None if self.sources is None else self.sources.library.compared

    @property
    def grouping(self) -> Grouping:
        """The groups that are shown."""
        return Grouping(()) if self._compared is None else self._compared.grouping

    def set_in_sight(self, in_sight: bool) -> None:
        super().set_in_sight(in_sight)
        if self._compared is not None:
            self._compared.set_watched(in_sight)

    # -- drawing -----------------------------------------------------------------------------------

    def has_content(self) -> bool:
        return bool(self.grouping.groups)

    def why_empty(self) -> str:
        compared = self._compared
        if compared is None or not compared.folders:
            return self.promise
        if compared.problems:
            return sentence(compared.problems[0])
        return words(say("compare.reading", count=len(compared.folders)))

    @Slot()
    def _on_compared(self) -> None:
        compared = self._compared
        if compared is not None and compared.problems and self.grouping.groups:
            more = len(compared.problems) - 1
            first = sentence(compared.problems[0])
            self.note.show_text(words(say("compare.and_more", first=first, more=more)) if more else first)
        self.again_if_visible()

    @Slot()
    def _on_library(self) -> None:
        library = None if self.sources is None else self.sources.library
        self.compare_all.setVisible(library is not None and bool(library.summaries))

    def show_view(self, name: str) -> None:
        """Show another side of the comparison."""
        self.name = name
        self.view_choice.set_chosen(name)
        self.again_if_visible()

    def set_score(self, name: str) -> None:
        """Use another score; `ask` asks for the return of *steps to*."""
        if name == ASK:
            self._ask_return()
            return
        now = self.options.score
        self._set("score", score_named(name, now.measure, self._lower.isChecked() and bool(now.measure)))

    def set_measure(self, name: str) -> None:
        """Compare a measure that the tasks name; `return` or an empty name: the return."""
        name, score = "" if name == RETURN_KEY else name, self.options.score.name
        self._set(
            "score",
            score_named("best" if name and score == MMER else score, name, self._lower.isChecked() and bool(name)),
        )

    def _toggle_lower(self) -> None:
        self.set_measure(self.options.score.measure)

    def _set(self, option: str, value: Any) -> None:
        self.options = replace(self.options, **{option: value})
        self.again_if_visible()

    def view(self) -> View:
        """The present view."""
        if self.name not in self._views:
            self._views[self.name] = VIEWS[self.name][1]()
            self._stack.addWidget(self._views[self.name])
            if isinstance(asking := self._views[self.name], CrossedView):
                asking.asked.connect(self._compare_part)
        made: View = self._views[self.name]  # type: ignore[assignment]
        return made

    def redraw(self) -> None:
        grouping = self.grouping
        view = self.view()
        self._stack.setCurrentWidget(self._views[self.name])
        self._offer_scores(grouping)
        view.show_grouping(grouping, self.options)
        if self.name == "scatter":
            names: dict[str, str] = getattr(view, "settings", {})
            chosen = self.options.setting if self.options.setting in names else next(iter(names), "")
            self.choices["setting"].offer(names, chosen, partial(self._set, "setting"))
        if isinstance(view, CrossedView) and view.table is not None:
            known = crossable(grouping)
            for place, side in enumerate(("rows", "columns")):
                self.choices[side].offer(known, view.table.paths[place], partial(self._set, side))
        self.choices["statistic"].set_chosen(self.options.statistic)
        self.choices["axis"].set_chosen(self.options.axis)
        self.choices["smoothing"].set_chosen(str(self.options.smoothed))
        for name, button in self.choices.items():
            button.setVisible(self.has_content() and name in CHOICES[self.name])
        self._offer_measures(grouping)
        self._faint.setText("Hide the single runs" if self.options.runs else "Show the single runs")
        self._faint.setVisible(self.name == "curves")
        self.legend.show_entries(legend_of(view, grouping.groups) if self.name in LEGEND_VIEWS else [])

    def _offer_scores(self, grouping: Grouping) -> None:
        runs = [run for group in grouping.groups for run in group.runs]
        measure = self.options.score.measure
        means = [float(mean) for run in runs for mean in run.evaluations.of_role(measure=measure)[1] if mean == mean]
        names = {"best": "best checkpoint", "final": "last evaluation", "area": "area under the curve"}
        names |= {} if measure else {MMER: "MMER"}
        if means and max(means) > min(means):
            low, high = min(means), max(means)
            for part in PART:
                level = float(f"{low + part * (high - low):.3g}")
                names[f"{STEPS_TO}{level:g}"] = f"steps to {measured(level, 3)}"
        now = self.options.score.name
        if now not in names:
            names[now] = f"steps to {now.removeprefix(STEPS_TO)}"
        names[ASK] = "steps to another return…"
        self.choices["score"].offer(names, now, self.set_score)

    def _offer_measures(self, grouping: Grouping) -> None:
        names = measures_of(run for group in grouping.groups for run in group.runs)
        if self.options.score.measure not in ("", *names):
            self.set_measure("")
        chosen = self.options.score.measure
        self.measure_choice.offer(
            {RETURN_KEY: "return", **{name: name for name in names}}, chosen or RETURN_KEY, self.set_measure
        )
        self.measure_choice.setVisible(bool(names))
        self._lower.setVisible(bool(chosen))

    def _compare_part(self, folders: Sequence[Path]) -> None:
        """Compare the runs of one cell alone; the menu leads back to all."""
        compared = self._compared
        if compared is None:
            return
        self._before = self._before or compared.folders
        compared.choose(folders)
        self._back.setVisible(True)
        self.note.show_text(words(say("compare.part", count=len(folders), all=len(self._before))))
        self.show_view("curves")

    def _go_back(self) -> None:
        """Compare all runs again, in the heat map."""
        folders, self._before = self._before, ()
        self._back.setVisible(False)
        if self._compared is not None and folders:
            self._compared.choose(folders)
        self.show_view("map")

    def _ask_return(self) -> None:
        dialog = QInputDialog(self)
        dialog.setWindowTitle("Steps to a return")
        dialog.setLabelText("Steps until an evaluation first reached this return:")
        dialog.textValueSelected.connect(self._take_return)
        dialog.open()

    def _take_return(self, text: str) -> None:
        try:
            self.set_score(f"{STEPS_TO}{text.strip()}")
        except ConfigError as error:
            self.note.show_text(sentence(error.text))
        self.again_if_visible()

    def restyle(self, theme: Theme) -> None:
        for view in self._views.values():
            view.restyle(theme)  # type: ignore[attr-defined]
        self.legend.restyle()
        self.note.restyle(theme)
        super().restyle(theme)

    def clear(self, reason: str = "") -> None:
        """Nothing to drop: the comparison is of stored runs and stays when another run is opened."""
        self.again()

    # -- actions -----------------------------------------------------------------------------------

    def _choose_all(self) -> None:
        if self.sources is not None:
            library = self.sources.library
            library.compared.choose(reversed([each.folder for each in library.summaries]))

    def _clear(self) -> None:
        if self._compared is not None:
            self._compared.choose(())

    def _toggle_runs(self) -> None:
        self._set("runs", not self.options.runs)

    def copy_commands(self) -> None:
        """Copy the lines that train the runs again."""
        lines = commands([run for group in self.grouping.groups for run in group.runs])
        QGuiApplication.clipboard().setText("\n".join(lines))
        self.note.show_text(words(say("compare.copied_commands", count=len(lines))))

    def copy_figure(self) -> None:
        """Copy the present view as a figure."""
        if self.has_content():
            QGuiApplication.clipboard().setMimeData(
                copied(self._drawn, COLUMNS["two"][1], self._height(COLUMNS["two"][1]))
            )
            self.note.show_text(words(say("compare.copied_figure")))

    def save_figure(self, path: str | Path, inches: float) -> None:
        """Write the present view as PNG, SVG or PDF, by the path's suffix, in this width. Raises OSError."""
        save_paper(self._drawn, path, inches, self._height(inches))

    def _height(self, inches: float) -> float:
        """Height of a drawing as a share of its width: as rows need it, else less in a wide figure."""
        rows = len(self.grouping.differences) if self.name == "settings" else len(self.grouping.groups)
        if self.name in ("figures", "settings"):
            return (0.6 + 0.29 * rows) / inches
        return 0.75 if inches < 5 else 0.5

    def _ask_figure(self, size: str, inches: float) -> None:
        kinds = {kind: f"{kind.upper()} (*.{kind})" for kind in KINDS}
        save: Callable[[str], None] = lambda path: self._write(lambda to: self.save_figure(to, inches), path)  # noqa: E731
        ask_save_path(self, f"Save figure, {size}", f"comparison-{self.name}.png", kinds, save)

    def _drawn(self) -> tuple[QWidget, Figure]:
        drawing = self.view().drawing()
        return drawing, self.figure()

    def drawing(self) -> QWidget:
        return self._views.get(self.name, self)

    def figure(self) -> Figure:
        """The texts of the present view as a figure: names of groups with n, how to read it, the values' axis."""
        view = self.view()
        legend = legend_of(view, self.grouping.groups) if self.name in LEGEND_VIEWS else []
        notes = [*view.notes(), *([self.common()] if self.name != "settings" else [])]
        return Figure("", legend=legend, notes=[each for each in notes if each], value_label=view.value_label())

    def common(self) -> str:
        """The task, where all runs have the same one."""
        tasks = {run.experiment.env.id for group in self.grouping.groups for run in group.runs}
        return next(iter(tasks)) if len(tasks) == 1 else ""

    def export_csv(self, path: str | Path) -> None:
        """Write the data behind the present view. Raises OSError."""
        Path(path).write_text(self.view().csv(), encoding="utf-8")
