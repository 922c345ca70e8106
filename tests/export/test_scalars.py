"""What an exported number is called, and what is told beside the numbers."""

from __future__ import annotations

import math
from pathlib import Path

from dqngui.export.exported_run import read_run
from dqngui.export.scalars import ScalarReader
from dqngui.messages import CheckpointTest, EpisodeEnded, Evaluated, Forked, KnobChanged, Learned, Noted
from dqngui.texts import say
from tests.comparison.made_runs import made_run


def test_each_event_gives_its_scalars_with_the_clock_that_the_log_tells() -> None:
    reader = ScalarReader()
    first, _ = reader.take(EpisodeEnded(step=10, ret=-2.5, length=10))
    assert [(each.step, each.name, each.value) for each in first] == [
        (10, "rollout/return", -2.5),
        (10, "rollout/length", 10.0),
    ]
    assert math.isnan(first[0].seconds)
    learned, _ = reader.take(Learned(step=20, updates=3, loss=0.5, explained=math.nan, seconds=1.5))
    found = {each.name: each.value for each in learned}
    assert found["train/loss"] == 0.5 and found["train/updates"] == 3 and math.isnan(found["train/explained_variance"])
    assert "train/td_error" not in found
    later, _ = reader.take(EpisodeEnded(step=30, ret=1, length=5))
    assert later[0].seconds == 1.5
    assert reader.step == 30 and reader.rows == 4 + len(learned)


def test_evaluations_are_told_apart_by_their_role() -> None:
    tested = CheckpointTest(mean=4.0, episodes=2)
    best = Evaluated(
        step=5, returns=(1.0, 3.0), lengths=(4, 6), mean=2.0, best=True, score=4.0, reported=2, tested=tested
    )
    scalars, _ = ScalarReader().take(best)
    assert {each.name: each.value for each in scalars} == {"eval/mean": 2.0, "eval/length": 5.0, "eval/best": 4.0}
    confirmed = Evaluated(step=5, returns=(1.0,), lengths=(4,), mean=1.0, role="confirmation")
    assert [each.name for each in ScalarReader().take(confirmed)[0]] == ["eval/confirmation"]


def test_changes_of_live_settings_are_numbers_and_lines_of_the_ledger() -> None:
    scalars, notes = ScalarReader().take(KnobChanged(step=7, field="learn.lr", old=1e-3, new=5e-4))
    assert [(each.name, each.value) for each in scalars] == [("knob/learn.lr", 5e-4)]
    assert (notes[0].step, notes[0].kind, notes[0].text) == (7, "change", "Learning rate 1e-3 → 5e-4")
    assert ScalarReader().take(KnobChanged(step=8, field="learn.epsilon", old=0.1, new=None))[0] == []
    _, forked = ScalarReader().take(Forked(step=9, parent="its-parent"))
    _, noted = ScalarReader().take(Noted(step=9, text=say("event.no_change")))
    assert [forked[0].kind, noted[0].kind] == ["fork", "note"] and "its-parent" in forked[0].text


def test_labels_of_a_run_are_read_leniently(tmp_path: Path) -> None:
    folder = made_run(tmp_path, [1.0], title="A task")
    assert read_run(folder).title == "A task" and read_run(folder).tags == ()
    (folder / "labels.json").write_text('{"title": "Mine\\u001b", "star": true, "tags": ["a", 3, "b"], "note": 5}')
    run = read_run(folder)
    assert run.title == "Mine\\x1b" and run.tags == ("a", "b", "starred") and run.labels.note == ""
    (folder / "labels.json").write_text("[" * 100_000)
    assert read_run(folder).title == "A task"


def test_a_run_has_the_same_id_at_each_export_and_another_than_its_neighbours(tmp_path: Path) -> None:
    one, other = made_run(tmp_path, [1.0]), made_run(tmp_path, [1.0])
    assert read_run(one).id == read_run(one).id != read_run(other).id
