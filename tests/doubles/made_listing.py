"""A list of runs made of summaries, without folders."""

from __future__ import annotations

from collections.abc import Sequence

from dqngui.listing.listed_run import listed_runs
from dqngui.listing.reader import Listing
from dqngui.listing.run_names import names
from dqngui.runs.folder import RunSummary


def listing_of(summaries: Sequence[RunSummary]) -> Listing:
    """The list of these runs."""
    runs = listed_runs(None, summaries, names(summaries), {}, {}, {})
    return Listing(runs=runs, by_folder={run.folder: run for run in runs})
