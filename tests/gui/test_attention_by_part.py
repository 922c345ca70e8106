"""Attention over the tokens of several parts of an observation is summed by part over the episode."""

from __future__ import annotations

import msgspec
import numpy as np
from pytestqt.qtbot import QtBot

from dqngui.gui.panels.internals.attention_panel import AttentionPanel
from dqngui.lab.analysis.part_shares import parts_of, summed
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.session.history import History
from dqngui.messages import EpisodeBegan, View
from tests.doubles.made_playing import began, extend, rows_of

POOL = View("attention/pool", ("head", "key"), (4, 7))
PARTS = (("picture", 4), ("sound", 2), ("words", 1))


def playing(parts: tuple[tuple[str, int], ...] = PARTS) -> PlayedEpisode:
    ready = msgspec.structs.replace(began((POOL,)).ready, parts=parts, labels={"key": tuple("abcdefg")})
    return extend(
        PlayedEpisode(ready, EpisodeBegan(step=1, number=0, seed=1, recorded=True), "demo"), rows_of((POOL,), 40), 40
    )


def test_the_map_over_the_episode_has_a_row_for_each_sense_and_shows_each_key_on_demand(qtbot: QtBot) -> None:
    panel, shown = AttentionPanel(), playing()
    qtbot.addWidget(panel)
    panel.resize(430, 400)
    panel.show()
    panel.take_views(shown)
    panel.show(History())
    means = shown.view(POOL.name).mean(axis=1)
    sums = np.stack([means[:, :4].sum(1), means[:, 4:6].sum(1), means[:, 6]], axis=1)
    np.testing.assert_allclose(panel.over.values, sums, rtol=1e-5)
    np.testing.assert_allclose(panel.over.values.sum(1), 1, rtol=1e-5)
    assert panel.over.rows == ("picture", "sound", "words")
    next(action for action in panel.menu_actions if action.text().startswith("Each key")).trigger()
    np.testing.assert_allclose(panel.over.values, means, rtol=1e-5)
    assert panel.over.rows == tuple("abcdefg")


def test_one_part_or_one_token_a_part_is_not_summed() -> None:
    assert parts_of(playing(), POOL) == PARTS
    assert parts_of(playing((("observation", 7),)), POOL) == ()
    assert parts_of(playing(tuple((name, 1) for name in "abcdefg")), POOL) == ()
    assert summed(np.zeros((0, 7)), PARTS).shape == (0, 3)
