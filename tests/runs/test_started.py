"""The newest run is the one that was started last, whatever the local time of the machine was."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from dqngui.config import Experiment
from dqngui.listing.run_index import RunIndex
from dqngui.runs import folder as run_folder
from dqngui.runs.started import moment, now_utc, start_in_name


def names(runs: Path) -> list[str]:
    listed = [Path(each.folder).name for each in run_folder.list_runs(runs)]
    assert listed == [Path(each.folder).name for each in RunIndex(runs).read()]
    return listed


def test_runs_are_listed_by_their_start_and_not_by_the_local_time_in_their_names(tmp_path: Path) -> None:
    # The clocks were set back by an hour, or the folder came from another time zone: names are in the wrong order.
    for name in ("2026-10-25_02-50-00_first", "2026-10-25_02-10-00_second", "2026-10-24_21-30-00_third"):
        run_folder.create(tmp_path, Experiment()).rename(tmp_path / name)
        time.sleep(0.002)
    assert names(tmp_path) == ["2026-10-24_21-30-00_third", "2026-10-25_02-10-00_second", "2026-10-25_02-50-00_first"]


def test_a_start_is_kept_when_the_summary_is_written_again(tmp_path: Path) -> None:
    folder = run_folder.create(tmp_path, Experiment())
    before = run_folder.summary_of(folder)
    assert before is not None and abs(moment(before.started) - datetime.now(UTC).timestamp()) < 60
    run_folder.write_summary(folder, msgspec.structs.replace(before, state="finished"))
    after = run_folder.summary_of(folder)
    assert after is not None and after.started == before.started


def old_run(runs: Path, name: str, updated: str) -> None:
    """A run of a version that did not store its start."""
    folder = run_folder.create(runs, Experiment()).rename(runs / name)
    data = msgspec.json.decode((folder / run_folder.SUMMARY).read_bytes())
    del data["started"]
    (folder / run_folder.SUMMARY).write_bytes(msgspec.json.encode({**data, "updated": updated}))


def test_runs_of_earlier_versions_are_ordered_by_their_names_and_the_offset_that_they_stored(tmp_path: Path) -> None:
    old_run(tmp_path, "2026-05-20_12-00-00_berlin", "2026-05-20T12:30:00+02:00")  # 10:00 in UTC
    old_run(tmp_path, "2026-05-20_09-00-00_lisbon", "2026-05-20T09:30:00+01:00")  # 8:00
    old_run(tmp_path, "2026-05-20_07-00-00_boston", "2026-05-20T07:30:00-04:00")  # 11:00
    old_run(tmp_path, "renamed", "2026-05-20T07:30:00-04:00")  # its experiment was written now
    assert [name.rsplit("_", 1)[-1] for name in names(tmp_path)] == ["renamed", "boston", "berlin", "lisbon"]


@pytest.mark.parametrize(
    "text", ["", "soon", "0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00", "1960-01-01", "2026-13-40"]
)
def test_what_is_no_time_of_a_run_is_none(text: str) -> None:
    assert moment(text) == 0.0


def test_a_time_is_the_same_in_every_offset() -> None:
    now = datetime.now(UTC)
    for hours in range(-12, 13):
        local = now + timedelta(hours=hours)
        written = local.replace(tzinfo=None).isoformat() + f"{hours:+03d}:00"
        assert moment(written) == pytest.approx(now.timestamp())
    assert now_utc().endswith("+00:00")


@pytest.mark.parametrize("name", ["", "x", "2026-99-99_12-00-00_a", "0001-01-01_00-00-00_a", "9999-12-31_23-59-59_a"])
@pytest.mark.parametrize("updated", ["", "nonsense", "2026-05-20T12:30:00+02:00", "0001-01-01T00:00:00+23:59"])
def test_any_name_and_any_time_give_a_start_or_none(name: str, updated: str) -> None:
    assert moment(start_in_name(Path(name), updated)) == 0.0
