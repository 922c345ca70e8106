"""The Return card draws a measure that the task names in the place of the return."""

from __future__ import annotations

import numpy as np
from made_panels import made, run_events
from pytestqt.qtbot import QtBot

from dqngui.gui.panels.curves.return_panel import ReturnPanel
from dqngui.lab.session.history import History
from dqngui.messages import CheckpointTest, EpisodeEnded, Evaluated, Event


def events() -> list[Event]:
    """Episodes of which every second one succeeds, and the first ten say nothing; and a kept checkpoint."""
    ended: list[Event] = [EpisodeEnded(step=step * 10, ret=100.0, length=10) for step in range(1, 11)]
    ended += [
        EpisodeEnded(step=step * 10, ret=100.0, length=10, measures={"success": float(step % 2)})
        for step in range(11, 101)
    ]
    said = [{"success": value} for value in (1.0, 1.0, 1.0, 0.0)]
    tested = CheckpointTest.of([100.0] * 4, 100.0, said)
    return [
        *ended,
        Evaluated(step=1000, returns=(100.0,) * 4, lengths=(10,) * 4, mean=100.0, measures={"success": (1, 1, 0, 0)}),
        Evaluated(
            step=1000,
            returns=(100.0,) * 4,
            lengths=(10,) * 4,
            mean=100.0,
            role="confirmation",
            best=True,
            score=100.0,
            reported=4,
            tested=tested,
            measures={"success": (1, 1, 1, 0)},
        ),
    ]


def test_a_chosen_measure_is_drawn_instead_of_the_return(qtbot: QtBot) -> None:
    panel = made(qtbot, ReturnPanel)
    panel.show(History.of(events()))
    assert list(panel.measures.offered.values()) == ["return", "success"] and panel.measures.full_text == "return"
    assert set(panel.drawn.dots[1]) == {100.0}
    panel.measures.trigger("success")
    assert set(panel.drawn.dots[1]) == {0.0, 1.0} and panel.drawn.dots[0].min() == 110
    assert panel.drawn.values == (0.5, 0.75) and panel.drawn.best_in_brief.startswith("test 0.75")
    assert "success 1" in panel.readout(510.0) and "return" not in panel.readout(510.0)
    assert panel.figure().value_label == "success of an episode"
    table = panel.exported_table()
    assert table.header[3] == "success" and {row[3] for row in table.rows if row[1] == "evaluation"} == {0.5, 0.75}


def test_a_run_without_measures_offers_no_choice(qtbot: QtBot) -> None:
    panel = made(qtbot, ReturnPanel)
    panel.show(History.of(events()))
    panel.measures.choose("success")
    panel.show(History.of(run_events()))
    assert panel.measures.isHidden() and panel.measures.measure == ""
    panel.show(History.of(events()))
    assert panel.measures.measure == "success"  # what was chosen stays for runs that have it


def test_a_measures_curve_has_the_places_of_the_episodes_in_any_parts() -> None:
    whole, parts = History.of(events()), History()
    for event in events():
        parts.take([event])
    for history in (whole, parts, whole.until(1000)):
        curve = history.curve("success")
        assert curve.x.values.tolist() == history.returns.x.values.tolist()
        assert np.isnan(curve.y.values[:10]).all() and curve.y.values[10] == 1.0
