"""A stranger's run in the window: what it would import is asked about in the banner before its environment is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from PySide6.QtWidgets import QApplication, QLabel, QLayout
from pytestqt.qtbot import QtBot

from dqngui.config import EnvConfig, Experiment
from dqngui.gui.app.app import App
from dqngui.gui.docking.arrangements import ARRANGEMENTS
from dqngui.gui.main_window.banner import Banner
from dqngui.gui.widgets.notice import Notice
from dqngui.lab.session.run_trust import RunTrust
from dqngui.lab.session.states import Action, State
from dqngui.runs import folder as folders
from dqngui.runs.trust import check_trusted

EVIL = EnvConfig(id="evil_of_a_stranger<img src=x>:Evil-v0")
MAKE = {Action.START, Action.RESUME_RUN, Action.FORK, Action.START_DRAFT}


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def stranger(runs: Path, config: EnvConfig = EVIL) -> Path:
    folder = folders.create(runs, Experiment())
    text = folders.presets.to_toml(msgspec.structs.replace(Experiment(), env=config), folders.versions())
    (folder / "experiment.toml").write_text(text)
    (folder / "resume").mkdir()
    return folder


def test_the_window_asks_before_anything_is_imported(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    session, banner, folder = app.session, app.window.banner, stranger(tmp_path / "runs")
    assert session.open_stored(folder)
    qtbot.waitUntil(lambda: not session.log.reading)
    assert banner.isVisible()
    assert EVIL.id.partition(":")[0] in banner.text.text()
    assert banner.go_on.text() == "Trust this run"
    assert not session.allowed & MAKE
    session.do(Action.NEW_RUN)  # its settings stay in the form
    assert (session.state, session.draft.experiment.env.id) == (State.READY, EVIL.id)
    assert banner.isVisible()
    assert not session.allowed & MAKE
    app.suited.ask()
    assert not app.suited.trying
    session.edit({"env.id": "CartPole-v1"})
    assert not banner.isVisible()
    assert Action.START in session.allowed
    assert session.open_stored(folder)
    qtbot.waitUntil(lambda: not session.log.reading)
    banner.go_on.click()
    check_trusted(folder, EVIL)
    assert "Trust this run" not in banner.go_on.text() or not banner.go_on.isVisible()
    assert session.allowed >= {Action.NEW_RUN}
    session.do(Action.NEW_RUN)
    assert Action.START in session.allowed


def shown_sentences(app: App) -> str:
    """Every sentence of the window's cards that can be seen, in all arrangements."""
    said = []
    for arrangement in ARRANGEMENTS:
        app.window.arrange(arrangement)
        QApplication.processEvents()
        app.window.panel_docks.refresh()
        seen = [app.window.docks[name].card for name in app.window.panel_docks.in_sight]  # not those behind a tab
        said += [each.text() for card in seen for each in card.findChildren(QLabel) if each.isVisible()]
    return "\n".join(said)


def test_the_question_is_asked_once_and_the_cards_say_what_they_wait_for(
    qtbot: QtBot, app: App, tmp_path: Path
) -> None:
    folder = stranger(tmp_path / "runs")
    assert app.session.open_stored(folder)
    qtbot.waitUntil(lambda: not app.session.log.reading)
    assert app.player.client.agent is None  # nothing is sent to the process that plays
    agent = app.window.panel_docks.panels["agent"]
    assert agent.empty_text == "Trust this run to see its agent play."
    assert not agent.findChild(Notice).isVisible()  # with its button Restart
    said = shown_sentences(app)
    assert "--trust" not in said and EVIL.id.partition(":")[0] not in said
    assert said.count("Trust this run to see its agent play.") >= 4
    app.window.banner.go_on.click()
    assert app.player.client.agent is not None and app.player.client.agent.folder == folder
    assert "Trust this run" not in shown_sentences(app)


def test_the_agent_of_a_run_whose_code_is_never_imported_is_not_promised(
    qtbot: QtBot, app: App, tmp_path: Path
) -> None:
    assert app.session.open_stored(stranger(tmp_path / "runs", EnvConfig(id="antigravity:X-v0")))
    qtbot.waitUntil(lambda: not app.session.log.reading)
    assert "Trust" not in shown_sentences(app)
    assert "does not play here" in app.window.panel_docks.panels["agent"].empty_text


def test_code_of_python_itself_cannot_be_trusted(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    session, banner = app.session, app.window.banner
    assert session.open_stored(stranger(tmp_path / "runs", EnvConfig(id="antigravity:X-v0")))
    qtbot.waitUntil(lambda: not session.log.reading)
    assert "Python itself" in banner.text.text()
    assert not banner.go_on.isVisible()
    assert not session.allowed & (MAKE | {Action.TRUST})


def test_settings_that_only_the_log_tells_are_asked_about_too(tmp_path: Path) -> None:
    asked, folder = RunTrust(), stranger(tmp_path / "runs", EnvConfig())
    asked.open(folder, EnvConfig())
    assert not asked.question(State.STORED, EnvConfig())
    asked.see(EVIL)
    assert asked.blocks(EVIL)
    assert EVIL.id.partition(":")[0] in str(asked.question(State.READY, EVIL))
    assert not asked.blocks(EnvConfig())
    asked.accept()
    assert not asked.blocks(EVIL)


@pytest.mark.parametrize("height", [1, 12, 24, 40])
def test_a_banner_without_room_paints_no_empty_picture(qtbot: QtBot, qtlog: Any, height: int) -> None:
    """A window that is still being laid out gives it a few pixels; an icon without pixels made Qt print warnings."""
    banner = Banner()
    qtbot.addWidget(banner)
    banner.setMinimumSize(0, 0)
    banner.layout().setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
    banner.resize(400, height)
    banner.show_text("A sentence.", "warn")
    banner.grab()
    assert not [each.message for each in qtlog.records if "propagateSizeHints" not in each.message]


def test_opening_a_stored_run_prints_no_message_of_qt(qtbot: QtBot, qtlog: Any, app: App, tmp_path: Path) -> None:
    assert app.session.open_stored(stranger(tmp_path / "runs"))
    qtbot.waitUntil(lambda: not app.session.log.reading)
    app.window.grab()
    assert not [each.message for each in qtlog.records if "propagateSizeHints" not in each.message]
