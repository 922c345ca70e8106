"""Puts two folders of results side by side: what an agent reached before a change of the code, and what it reaches now.

    python -m tests.evidence.beside BEFORE [--now FOLDER]

One line for each agent with results in both folders, as Markdown on standard output. The exit status is 1 if a seed
that passed before does not pass now.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.evidence.cells import EVIDENCE
from tests.evidence.report import in_short
from tests.evidence.results import Group, groups

HEADING = (
    "| task | agent | passed before | now | mean before | now | steps before | now | training before | now |",
    "|---|---|---|---|---|---|---|---|---|---|",
)


def beside(before: list[Group], now: list[Group]) -> tuple[str, list[str]]:
    """The table as Markdown, and the names of the seeds that passed before and do not now."""
    old = {(group.row.task, group.row.agent): group for group in before}
    lines, worse = list(HEADING), []
    for new in now:
        row = new.row
        known = old.get((row.task, row.agent))
        if known is None:
            continue
        pairs = zip(in_short(known), in_short(new), strict=True)
        lines.append(f"| {' | '.join([row.task, row.agent, *(cell for pair in pairs for cell in pair)])} |")
        passed = {result["seed"] for result in known.results if known.passes(result)}
        failing = [result["seed"] for result in new.results if not new.passes(result)]
        worse += [f"{row.task}/{row.agent}-{seed}" for seed in failing if seed in passed]
    return "\n".join(lines), worse


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Put two folders of results side by side.")
    parser.add_argument("before", type=Path)
    parser.add_argument("--now", type=Path, default=EVIDENCE)
    given = parser.parse_args(argv)
    table, worse = beside(groups(given.before), groups(given.now))
    print(table)
    for name in worse:
        print(f"passed before and not now: {name}", file=sys.stderr)
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
