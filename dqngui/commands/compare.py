"""`dqngui compare`: stored runs in groups that differ in more than their seeds, with figures and what they allow."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dqngui.bounded import found
from dqngui.commands.arguments import shown_path
from dqngui.commands.arguments_of_many import CompareArguments
from dqngui.commands.experiments import run_folder
from dqngui.commands.output import table, write_json_line
from dqngui.comparison.again import commands
from dqngui.comparison.curves import Axis, GroupCurve, group_curve
from dqngui.comparison.dimensions import setting_dimensions
from dqngui.comparison.figures import Estimate, GroupFigures, Improvement, figures, improvements
from dqngui.comparison.groups import Grouping, grouped
from dqngui.comparison.importance import Importance, importances
from dqngui.comparison.results import RunResult, read_result
from dqngui.comparison.scores import Score, check_measure, score_named
from dqngui.comparison.words import caveats, improvement_text, skipped_text
from dqngui.comparison.writing import curves_csv
from dqngui.config import ConfigError
from dqngui.messages.json_lines import to_json
from dqngui.runs.folder import has_experiment
from dqngui.runs.nested import find_runs
from dqngui.texts import say, words
from dqngui.texts.numbers import measured, short

_PLACES = 6


def run(arguments: CompareArguments) -> int:
    """Print the comparison and return the exit status. Raises ConfigError."""
    score = score_named(arguments.score, arguments.measure, arguments.lower)
    results = list(_results(arguments))
    check_measure(score, results)
    if arguments.commands:
        print("\n".join(commands(results)))
        return 0
    grouping = grouped(results)
    compared = figures(grouping, score)
    pairs = improvements(compared, score)
    curves = [
        group_curve(group.runs, arguments.x, arguments.statistic, measure=score.measure) for group in grouping.groups
    ]
    names = [group.name for group in grouping.groups]
    if arguments.csv is not None:
        _write(Path(arguments.csv), curves_csv(names, curves, arguments.x, arguments.statistic))
    if arguments.json:
        _print_json(grouping, compared, pairs, score)
    else:
        _print_tables(grouping, compared, pairs, curves, arguments, score)
    return 0


def _results(arguments: CompareArguments) -> Iterator[RunResult]:
    """The runs that were named; of a folder of runs, all that can be read. Raises ConfigError."""
    count = 0
    for name in arguments.names or (arguments.runs,):
        folder = Path(name) if name == arguments.runs else run_folder(name, arguments.runs)
        if not found(Path.is_dir, folder):
            raise ConfigError("command.no_folder", folder=shown_path(str(folder)))
        if has_experiment(folder):
            yield read_result(folder)
            count += 1
            continue
        for inside in sorted(find_runs(folder).runs):
            try:
                if has_experiment(Path(inside)):
                    yield read_result(inside)
                    count += 1
            except ConfigError as error:
                print(skipped_text(Path(inside).name, error), file=sys.stderr)
    if not count:
        raise ConfigError("command.no_run_in", runs=shown_path(arguments.runs))


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError("compare.not_written", path=file, problem=error.strerror) from None


# -- tables ---------------------------------------------------------------------------------------


def _print_tables(
    grouping: Grouping,
    compared: Sequence[GroupFigures],
    pairs: Sequence[Improvement],
    curves: Sequence[GroupCurve],
    arguments: CompareArguments,
    score: Score,
) -> None:
    interval = "95\u00a0% interval"
    head = [score.title, "n", "mean", interval, "IQM", interval, "median", interval]
    rows = [
        [each.group.name, _count(each), *_cells(each.mean), *_cells(each.iqm), *_cells(each.median)]
        for each in compared
    ]
    print(table([head, *rows]))
    if pairs:
        print()
        for pair in pairs:
            print(improvement_text(pair, [group.name for group in grouping.groups]))
    for caveat in caveats(compared, grouping, pairs):
        print(caveat)
    if places := _places(curves):
        print()
        print(table(_curve_rows(grouping, curves, places, arguments)))
    if grouping.differences:
        print()
        explained = importances(setting_dimensions(grouping), compared)
        names = [group.name for group in grouping.groups]
        rows = [
            [f"{each.path} ({each.why})", *each.texts, _explained(explained.get(each.path))]
            for each in grouping.differences
        ]
        print(table([["differs", *names, "explains"], *rows]))
    damaged = [run for group in grouping.groups for run in group.runs if run.damaged]
    for result in damaged:
        print(
            say("compare.damaged", name=result.folder.name, count=result.damaged, problem=result.problem),
            file=sys.stderr,
        )


def _explained(found: Importance | None) -> str:
    return (
        "–" if found is None else f"{100 * found.share:.0f}\u00a0%" if found.told else words(say("compare.by_chance"))
    )


def _count(each: GroupFigures) -> str:
    return str(each.count) if each.count == len(each.scores) else f"{each.count} of {len(each.scores)}"


def _cells(estimate: Estimate) -> list[str]:
    value = "–" if np.isnan(estimate.value) else measured(estimate.value)
    if estimate.interval is None:
        return [value, "–"]
    return [value, f"{measured(estimate.interval.low)} to {measured(estimate.interval.high)}"]


def _places(curves: Sequence[GroupCurve]) -> list[float]:
    """A few even places of the axis."""
    ends = [float(curve.x[-1]) for curve in curves if len(curve.x)]
    return [max(ends) * part / _PLACES for part in range(1, _PLACES + 1)] if ends else []


def _curve_rows(
    grouping: Grouping, curves: Sequence[GroupCurve], places: Sequence[float], arguments: CompareArguments
) -> list[list[str]]:
    head = [f"{arguments.statistic} by {_AXES[arguments.x]}", *map(short, places)]
    rows = []
    for group, curve in zip(grouping.groups, curves, strict=True):
        if len(curve.x):
            values = np.interp(places, curve.x, curve.whole, left=np.nan, right=np.nan)
            rows.append([group.name, *("–" if np.isnan(value) else measured(float(value)) for value in values)])
    return [head, *rows]


_AXES: dict[Axis, str] = {"steps": "steps", "episodes": "episodes", "time": "seconds", "updates": "updates"}


# -- JSON -----------------------------------------------------------------------------------------


def _print_json(
    grouping: Grouping, compared: Sequence[GroupFigures], pairs: Sequence[Improvement], score: Score
) -> None:
    for each in compared:
        runs = [{"folder": str(run.folder), "seed": run.experiment.run.seed} for run in each.group.runs]
        estimates = {name: _plain(getattr(each, name)) for name in ("mean", "iqm", "median")}
        scores = [None if np.isnan(value) else float(value) for value in each.scores]
        write_json_line(
            to_json({"type": "Group", "name": each.group.name, "score": score.title, "n": each.count, "runs": runs,
                     "scores": scores, **estimates})
        )  # fmt: skip
    for pair in pairs:
        named = {"first": grouping.groups[pair.first].name, "second": grouping.groups[pair.second].name}
        write_json_line(
            to_json({"type": "Improvement", **named, "probability": _plain(pair.probability), "verdict": pair.verdict})
        )
    for setting in grouping.differences:
        write_json_line(
            to_json({"type": "Difference", "setting": setting.path, "why": setting.why, "values": setting.values})
        )


def _plain(estimate: Estimate) -> dict[str, Any]:
    low, high = estimate.interval or (None, None)
    return {"value": estimate.value, "low": low, "high": high}
