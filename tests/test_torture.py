"""The torture's own parts: what it plans, and that it notices what must not be."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import psutil
import pytest

from dqngui.config import Experiment
from dqngui.runs.folder import create
from tests.torture import processes
from tests.torture.run import HOSTS, KINDS, PRESETS, plans, table
from tests.torture.trial import Outcome, digest, saved_step


def test_every_preset_host_and_kind_is_tried_and_a_third_of_the_kills_aims_at_a_save() -> None:
    found = plans(200)
    assert {plan.preset for plan in found} == set(PRESETS)
    assert {(plan.host, plan.victim) for plan in found} == set(HOSTS)
    kinds = Counter(plan.kind for plan in found)
    assert kinds.keys() == set(KINDS)
    assert min(kinds.values()) >= 10
    assert sum(plan.aimed for plan in found) == 67
    for kind in set(KINDS) - {"full"}:  # kinds and hosts do not go together always
        assert len({plan.host for plan in found if plan.kind == kind}) == len({host for host, _ in HOSTS})
    assert plans(10) == found[:10]


def test_the_table_counts_what_must_not_be() -> None:
    good, bad = (Outcome(plan) for plan in plans(2))
    bad.lose("it is gone")
    bad.differ("a line differs")
    bad.orphans = 2
    rows = {
        line[:18].strip(): [int(cell) for cell in line[18:].split()] for line in table([good, bad]).splitlines()[1:]
    }
    assert rows["all"] == [2, 0, 0, 1, 1, 2]
    assert rows[good.plan.kind] == [1, 0, 0, 0, 0, 0]
    assert rows["process, child"] == [1, 0, 0, 1, 1, 2]


def test_a_process_that_stays_is_an_orphan_and_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "GONE_S", 0.1)
    with subprocess.Popen(["sleep", "60"]) as one:
        assert processes.orphans([psutil.Process(one.pid)]) == 1
        one.wait(10)
        assert processes.orphans(processes.family(one.pid)) == 0


def test_a_run_that_anybody_changed_has_another_hash(tmp_path: Path) -> None:
    folder = create(tmp_path, Experiment())
    assert saved_step(folder) is None
    hashes = {digest(folder)}
    (folder / "events.jsonl").write_bytes(b"{}\n")
    hashes.add(digest(folder))
    (folder / "events.jsonl").write_bytes(b"")
    hashes.add(digest(folder))
    (folder / "resume").mkdir()
    (folder / "resume" / "meta.json").write_text('{"mark": {"step": 40}}')
    hashes.add(digest(folder))
    assert len(hashes) == 4
    assert saved_step(folder) == 40
