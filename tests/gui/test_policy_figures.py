"""What the window shows of an agent with a policy: its own figures in the panels, probabilities as bars."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from made_panels import made, run_events
from pytestqt.qtbot import QtBot

from dqngui.config import Experiment, LearnConfig
from dqngui.gui.panels.agent.action_bars import ActionBars
from dqngui.gui.panels.curves.exploration_panel import ExplorationPanel
from dqngui.gui.panels.curves.learning_panel import LearningPanel
from dqngui.gui.panels.curves.quantity_panel import QuantityPanel
from dqngui.gui.settings_form.relevance import relevant
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.session.history import History
from dqngui.messages import EpisodeBegan, Learned, Played, PlayerReady


def rows(count: int = 40) -> list[Learned]:
    """Every fourth row has updates, as with rollouts longer than a row."""
    figures = ("loss", "grad_norm", "policy_loss", "value_error", "entropy", "kl", "clip_share", "explained")
    return [
        Learned(
            step=500 * i,
            updates=i,
            epsilon=None,
            steps_per_second=900.0,
            **(dict.fromkeys(figures, 1 / i) if i % 4 == 0 else {}),
        )
        for i in range(1, count + 1)
    ]


def shown(panel: QuantityPanel) -> list[str]:
    return [name for name, small in panel.plots.items() if small.isVisible()]


def test_panels_show_what_the_algorithm_tells(qtbot: QtBot) -> None:
    learning, exploration = made(qtbot, LearningPanel), made(qtbot, ExplorationPanel)
    for panel in (learning, exploration):
        panel.show(History.of(rows()))
    assert set(shown(learning)) == {"loss", "grad_norm", "value_error", "explained", "kl", "clip_share"}
    assert set(shown(exploration)) == {"entropy", "steps_per_second", "updates_per_second"}
    for panel in (learning, exploration):
        panel.show(History.of(run_events(100)))
    assert set(shown(learning)) == {"loss", "td_error", "q_mean", "grad_norm"}
    assert set(shown(exploration)) == {"epsilon", "steps_per_second", "updates_per_second"}


def test_rows_without_updates_do_not_tear_the_curves(qtbot: QtBot) -> None:
    panel = made(qtbot, LearningPanel)
    panel.show(History.of(rows()))
    for name in ("loss", "kl"):
        x, y = panel.plots[name].curve.getData()
        assert x.tolist() == [2000.0 * i for i in range(1, 11)]
        np.testing.assert_allclose(y, [1 / (4 * i) for i in range(1, 11)])


def test_a_table_of_policy_figures_has_empty_cells_between_updates(qtbot: QtBot, tmp_path: Path) -> None:
    panel = made(qtbot, LearningPanel)
    panel.show(History.of(rows(8)))
    panel.export_csv(tmp_path / "figures.csv")
    with (tmp_path / "figures.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [row["step"] for row in table] == [str(500 * i) for i in range(1, 9)]
    assert [row["kl"] for row in table] == ["", "", "", "0.25", "", "", "", "0.125"]
    assert "td_error" not in table[0]


def test_a_run_without_a_policy_keeps_no_policy_figures() -> None:
    history = History.of(run_events(100))
    assert len(history.learned["loss"]) == 100 and len(history.learned["kl"]) == 0


@pytest.mark.parametrize("judged", ["probability", "value"])
def test_bars_of_probabilities_lie_between_nothing_and_all(qtbot: QtBot, judged: str) -> None:
    bars = ActionBars()
    qtbot.addWidget(bars)
    ready = PlayerReady(step=0, environment="E", actions=("left", "right"), output_kind=judged)  # type: ignore[arg-type]
    playing = PlayedEpisode(ready, EpisodeBegan(step=0, number=1, seed=0), "here")
    q = np.array([[0.4, 0.6]], np.float32)
    tensors = {"q": q, "action": np.array([1]), "reward": np.ones(1), "observation": np.zeros((1, 0))}
    playing.take(Played(step=0, number=1, first=0, tensors=tensors))
    bars.show_step(playing, 0)
    assert bars.drawn.described == f"right taken, {judged} 0.60"
    assert (bars.drawn.limits == (0.0, 1.0)) is (judged == "probability")
    assert bars.drawn.tip.startswith({"probability": "Probability", "value": "Value"}[judged])
    assert bars.accessibleName() == {"probability": "Action probabilities", "value": "Action values"}[judged]


def test_settings_of_the_other_algorithm_are_hidden() -> None:
    dqn, ppo = Experiment(), Experiment(learn=LearnConfig(algorithm="ppo"))
    for path in ("learn.rollout", "learn.clip", "learn.entropy_weight", "learn.gae_lambda"):
        assert relevant(ppo, path) and not relevant(dqn, path), path
    for path in ("learn.epsilon", "learn.replay_capacity", "learn.n_step", "net.head", "learn.warmup"):
        assert relevant(dqn, path) and not relevant(ppo, path), path
    for path in ("learn.lr", "learn.gamma", "learn.window", "learn.batch_size", "learn.loss", "net.memory"):
        assert relevant(dqn, path) and relevant(ppo, path), path
