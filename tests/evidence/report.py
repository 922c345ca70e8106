"""Writes the tables and pictures of the evidence from the stored results alone.

    python -m tests.evidence.report [--from FOLDER] [--print]

All tables go to `README.md` in the folder of the results, beside the pictures; the table of five lines goes to the
README of the project. Text outside of the marks is left alone. `--print` writes the tables to standard output and
changes no file.
"""

from __future__ import annotations

import argparse
import sys
from itertools import groupby
from pathlib import Path

from dqngui.config import ConfigError
from dqngui.statistics import MIN_VALUES, iqm, mean_interval, proportion_interval
from tests.evidence.cells import EVIDENCE, Cell
from tests.evidence.results import Group, groups

ROOT = Path(__file__).resolve().parent.parent.parent
BEGIN, END = "<!-- evidence: made by `make evidence-report` -->", "<!-- end of evidence -->"
EMPTY_DOCUMENT = f"# Evidence\n\n{BEGIN}\n{END}\n"
INTRODUCTION = """\
Each line is one agent on one task. It was trained once for each seed; these seeds were used for nothing else. The best
checkpoint by evaluation was then tested once on new episodes. *Seeds passed* has the 95 % interval of the share. *Mean*
is the mean test score with its 95 % interval over the seeds; with 5 seeds, a failure that none of them shows may still
have a share of up to 45 %. Fewer than 5 seeds have no interval of either; a mean has none if all scores are equal.
*IQM* is the interquartile mean, *steps* and *training* are medians over the seeds (one core of a two-core machine that
trained another agent at the same time). `make evidence` trains everything again, `make evidence-quick` a part of it in
ten minutes."""
IN_SHORT = (
    ("cartpole-positions", "attention-gru"),
    ("tmaze-100", "lstm"),
    ("recall", "gru"),
    ("minigrid-memory", "lstm"),
    ("find", "self-attention"),
)
"""Task and agent of each line of the short table."""


def short_table(found: list[Group]) -> str:
    """Markdown of the table in the project's README: a few agents, each beside the control of its task."""
    lines = [
        "| task | agent | seeds passed | mean test score | the control's | score to pass |",
        "|---|---|---|---|---|---|",
    ]
    by_name = {(group.row.task, group.row.agent): group for group in found}
    for task_name, agent in IN_SHORT:
        group = by_name.get((task_name, agent))
        if group is None:
            continue
        task = group.task
        percent = task.measure != "return"
        control = by_name.get((task_name, task.control))
        cells = [
            task.title,
            agent,
            f"{group.passed} of {len(group.scores)}",
            _mean(group, percent),
            "–" if control is None else _mean(control, percent),
            _number(task.at_least, percent),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def section(found: list[Group]) -> str:
    """Markdown of all tables, with headings of the third level."""
    parts = [INTRODUCTION]
    for _, rows in groupby(found, key=lambda group: group.row.task):
        parts.append(table(list(rows)))
    return "\n\n".join(parts)


def table(rows: list[Group]) -> str:
    """Markdown of one task: what a seed must reach, what is known from elsewhere, and one line for each agent."""
    task = rows[0].task
    percent = task.measure != "return"
    asked = {"return": "a mean test return", "success": "success in test episodes"}.get(task.measure, "right turns")
    strictly = ", twice, and Q(right) − Q(wrong) above 1 in the worst case" if task.measure == "strict" else ""
    lines = [
        f"**{task.title}**: a seed passes with {asked} of at least {_number(task.at_least, percent)}{strictly}; "
        f"{task.known}.",
        "",
        "| agent | seeds passed | mean | IQM | steps | training |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *(_line(group, percent) for group in rows), *_attention(rows)])


def in_short(group: Group) -> list[str]:
    """Seeds passed, mean score, and the medians of steps and training time, as text."""
    seeds = f"{group.passed} of {len(group.results)}"
    mean = _mean(group, group.task.measure != "return")
    return [seeds, mean, f"{group.median_of('steps'):,.0f}", _duration(group.median_of("cpu_seconds"))]


def _line(group: Group, percent: bool) -> str:
    scores = group.scores
    row = group.row
    passed, mean, steps, training = in_short(group)
    name = f"{row.agent} (control)" if group.is_control else row.agent
    missing = f" ({group.planned} planned)" if len(scores) < group.planned else ""
    own = ""
    if row.at_most is not None:
        own = f", at most {_number(row.at_most, percent)}"
    elif row.at_least is not None:
        own = f", at least {_number(row.at_least, percent)}"
    mean += _interval(scores, percent)
    share = proportion_interval(group.passed, len(scores))
    own += "" if share is None else f" [{_number(share.low, True)}, {_number(share.high, True)}]"
    if "gap" in group.results[0]:
        mean += f", gap {min(result['gap'] for result in group.results):.2f}"
    solved = group.solved_at()
    if group.task.measure == "strict" and solved:
        steps += f" ({group.median_of('episodes'):,.0f} episodes)"
    cells = [
        name,
        f"{passed}{own}{missing}",
        mean,
        _number(iqm(scores), percent),
        steps,
        training,
    ]
    return f"| {' | '.join(cells)} |"


def _mean(group: Group, percent: bool) -> str:
    return _number(sum(group.scores) / len(group.scores), percent)


def _interval(values: list[float], percent: bool) -> str:
    """The mean's interval in brackets; of shares it is cut to 0 and 1. Nothing where there is none."""
    found = mean_interval(values)
    if found is None:
        return (
            f" ({len(values)} seed{'s' * (len(values) > 1)}: too few for an interval)"
            if len(values) < MIN_VALUES
            else ""
        )
    low, high = (max(found.low, 0.0), min(found.high, 1.0)) if percent else found
    return f" [{_number(low, percent)}, {_number(high, percent)}]"


def _attention(rows: list[Group]) -> list[str]:
    """A sentence about how much attention fell on the token that matters; nothing where it was not measured."""
    shares = []
    for group in rows:
        views = [result["attention"] for result in group.results if "attention" in result]
        if not views:
            continue
        names = [name for name in views[0] if name != "chance"]
        best = {name: [view[name]["best"] for view in views] for name in names}
        name = max(names, key=lambda each: sum(best[each]))
        share = sum(best[name]) / len(views)
        shares.append(f"{group.row.agent} {_number(share, True)}{_interval(best[name], True)} (`{name}`)")
    if not shares:
        return []
    chance = next(result["attention"]["chance"] for group in rows for result in group.results if "attention" in result)
    heading = "Share of attention on the token that matters, for the head with the largest share"
    return ["", f"{heading}: {'; '.join(shares)}; uniform attention gives {_number(chance, True)}."]


def _number(value: float, percent: bool) -> str:
    text = f"{100 * value:.3g} %" if percent else f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return text.replace("-", "−")


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def stale(found: list[Group]) -> list[str]:
    """Names of the results that were trained with another configuration than their row has today."""
    names = []
    for group in found:
        for result in group.results:
            cell = Cell(group.row, result["seed"])
            try:
                same = cell.made_by(result["config"])
            except ConfigError:
                same = False
            if not same:
                names.append(cell.name)
    return names


def pictures(names: list[tuple[str, str]]) -> str:
    """Markdown of pictures that follow the reader's theme, of (file name without theme, description) each."""
    return "\n\n".join(
        f'<picture>\n  <source media="(prefers-color-scheme: dark)" srcset="{name}-dark.png">\n'
        f'  <img alt="{text}" src="{name}-light.png">\n</picture>'
        for name, text in names
    )


def put_into(file: Path, text: str) -> None:
    """Replace the text between the marks. Raises ValueError if the file lacks the marks."""
    whole = file.read_text(encoding="utf-8")
    before, begin, rest = whole.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{file.name} lacks the marks {BEGIN} and {END}")
    file.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Report the evidence.")
    parser.add_argument("--from", dest="folder", type=Path, default=EVIDENCE)
    parser.add_argument("--print", dest="only_print", action="store_true")
    parser.add_argument("--readme", type=Path, default=ROOT / "README.md")
    given = parser.parse_args(argv)
    found = groups(given.folder)
    if not found:
        print(f"There is no evidence in {given.folder}; `make evidence` makes it.", file=sys.stderr)
        return 1
    for name in stale(found):
        print(f"trained with another configuration than today's: {name}", file=sys.stderr)
    if given.only_print:
        print(section(found))
        return 0
    from tests.evidence.drawing import draw

    drawn = draw(found, given.folder)
    document: Path = given.folder / "README.md"
    if not document.exists():
        document.write_text(EMPTY_DOCUMENT, encoding="utf-8")
    put_into(document, f"{section(found)}\n\n{pictures(drawn)}")
    put_into(given.readme, short_table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
