"""The README's section of evidence and its pictures, from the stored results alone.

    python -m tests.evidence.report [--from FOLDER] [--print]

`--print` writes the tables to standard output and leaves README and pictures as they are.
"""

from __future__ import annotations

import argparse
import sys
from itertools import groupby
from pathlib import Path

from dqngui.config import ConfigError
from tests.evidence.cells import EVIDENCE, Cell
from tests.evidence.intervals import bootstrap, interquartile_mean
from tests.evidence.results import Group, groups

ROOT = Path(__file__).resolve().parent.parent.parent
BEGIN, END = "<!-- evidence: made by `make evidence-report` -->", "<!-- end of evidence -->"
INTRODUCTION = """\
Every line is one agent on one task, trained once a seed with seeds that were used for nothing else, best checkpoint by
evaluation, then tested once on fresh episodes. *Mean* has its 95 % bootstrap interval over the seeds, IQM is the
interquartile mean, *steps* and *training* are medians over the seeds (one core of a two-core machine that was also busy
with another cell). `make evidence` trains all of it again, `make evidence-quick` ten minutes of it."""


def section(found: list[Group]) -> str:
    """Markdown of all tables, with headings of the third level."""
    parts = [INTRODUCTION]
    for _, rows in groupby(found, key=lambda group: group.row.task):
        parts.append(table(list(rows)))
    return "\n\n".join(parts)


def table(rows: list[Group]) -> str:
    """One task: what passes, what is known, and a line an agent."""
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


def _line(group: Group, percent: bool) -> str:
    scores = group.scores
    low, high = bootstrap(scores)
    row = group.row
    name = f"{row.agent} (control)" if group.is_control else row.agent
    missing = f" ({group.planned} planned)" if len(scores) < group.planned else ""
    own = ""
    if row.at_most is not None:
        own = f", at most {_number(row.at_most, percent)}"
    elif row.at_least is not None:
        own = f", at least {_number(row.at_least, percent)}"
    mean = f"{_number(sum(scores) / len(scores), percent)} [{_number(low, percent)}, {_number(high, percent)}]"
    if "gap" in group.results[0]:
        mean += f", gap {min(result['gap'] for result in group.results):.2f}"
    solved = group.solved_at()
    steps = f"{group.middle('steps'):,.0f}"
    if group.task.measure == "strict" and solved:
        steps += f" ({group.middle('episodes'):,.0f} episodes)"
    cells = [
        name,
        f"{group.passed} of {len(scores)}{own}{missing}",
        mean,
        _number(interquartile_mean(scores), percent),
        steps,
        _duration(group.middle("cpu_seconds")),
    ]
    return f"| {' | '.join(cells)} |"


def _attention(rows: list[Group]) -> list[str]:
    """How much of the attention fell on the token that matters."""
    told = []
    for group in rows:
        views = [result["attention"] for result in group.results if "attention" in result]
        if not views:
            continue
        names = [name for name in views[0] if name != "chance"]
        best = {name: [view[name]["best"] for view in views] for name in names}
        name = max(names, key=lambda each: sum(best[each]))
        low, high = bootstrap(best[name])
        share = sum(best[name]) / len(views)
        told.append(
            f"{group.row.agent} {_number(share, True)} [{_number(low, True)}, {_number(high, True)}] (`{name}`)"
        )
    if not told:
        return []
    chance = next(result["attention"]["chance"] for group in rows for result in group.results if "attention" in result)
    return ["", f"Attention on the token that matters, of the head that looks there most: {'; '.join(told)}; "
            f"evenly spread it would be {_number(chance, True)}."]  # fmt: skip


def _number(value: float, percent: bool) -> str:
    text = f"{100 * value:.3g} %" if percent else f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return text.replace("-", "−")


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def stale(found: list[Group]) -> list[str]:
    """Names of results whose row has another configuration today."""
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
    """Markdown of pictures that follow the reader's theme: (name, description) each."""
    return "\n\n".join(
        f'<picture>\n  <source media="(prefers-color-scheme: dark)" srcset="assets/evidence/{name}-dark.png">\n'
        f'  <img alt="{text}" src="assets/evidence/{name}-light.png">\n</picture>'
        for name, text in names
    )


def put_into(readme: Path, text: str) -> None:
    """Replace what stands between the marks. Raises ValueError where they are missing."""
    whole = readme.read_text(encoding="utf-8")
    before, begin, rest = whole.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{readme.name} lacks the marks {BEGIN} and {END}")
    readme.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


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
        print(f"made with another configuration than today's: {name}", file=sys.stderr)
    if given.only_print:
        print(section(found))
        return 0
    from tests.evidence.drawing import draw

    drawn = draw(found, given.folder)
    put_into(given.readme, f"{section(found)}\n\n{pictures(drawn)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
