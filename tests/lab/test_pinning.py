"""The cursor: which episode a pin opens with which weights, what wins when pins follow each other, and the way back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from dqngui import config
from dqngui import messages as m
from dqngui.lab.background.timing import Timing
from dqngui.lab.cursor.pinned_episode import nearest_checkpoint, weights_changed_within
from dqngui.lab.cursor.pinning import MAX_TRIES, Pinning
from dqngui.lab.library.library import Library
from dqngui.lab.playback.agent_selection import AgentSelection
from dqngui.lab.session.history import History
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import State
from dqngui.runs.episodes import recorded_episode
from dqngui.runs.folder import EVENTS, create
from tests.doubles.made_episodes import EARLY, ENVS, LATE, LENGTH, actions_of, ended, store
from tests.doubles.scripted_host import ScriptedHost
from tests.doubles.scripted_player import Watched, weights


@dataclass
class Desk:
    """A run that trains, a player that is turned by hand, and the cursor."""

    session: Session
    player: Watched
    library: Library
    pinning: Pinning
    said: list[str]
    qtbot: QtBot

    @property
    def host(self) -> ScriptedHost:
        return ScriptedHost.opened[-1]

    def train(self, events: Sequence[m.Event]) -> None:
        self.host.emit(*events)
        self.session.tick(0.0)

    def settle(self) -> None:
        self.player.advance(times=6)

    @property
    def opened(self) -> list[object]:
        return [command.checkpoint for command in self.player.host.all_of(m.OpenAgent) if command.folder is not None]


@pytest.fixture
def desk(player: Watched, qtbot: QtBot, tmp_path: Path) -> Iterator[Desk]:
    """Twenty episodes were trained and stored; the newest weights play."""
    session = Session(
        config.Experiment(), runs=tmp_path / "runs", open_host=ScriptedHost, timing=Timing(automatic=False)
    )
    session.torch_loaded = True
    library, said = Library(session), []
    agent_selection = AgentSelection(session, player, demo=None)
    pinning = Pinning(session, player, library, agent_selection, Timing(player.clock, automatic=False))
    session.message.connect(lambda text, _: said.append(str(text)))
    player.start()
    session.start()
    session.tick(0.0)
    ScriptedHost.opened[-1].emit(weights(5_000))
    session.tick(0.0)
    desk = Desk(session, player, library, pinning, said, qtbot)
    desk.train([ended(number) for number in range(20)])
    assert session.run.folder is not None
    store(session.run.folder, [ended(number) for number in range(20)])
    desk.settle()
    assert player.playing is not None
    yield desk
    library.stop()
    library.join()


def test_a_pin_plays_the_recorded_actions_with_the_weights_before_them(desk: Desk) -> None:
    desk.player.seek(33)
    desk.settle()
    asked = len(desk.host.sent)
    desk.pinning.pin(ended(12).step + 70)
    desk.settle()
    playing, pinned = desk.player.playing, desk.pinning.pinned
    assert playing is not None
    assert pinned is not None
    assert (pinned.number, playing.seed, playing.given) == (12, 1012, LENGTH)
    assert playing.action.tolist() == actions_of(12).tolist()
    assert playing.non_greedy_steps.tolist() == [32]  # the values are (t, 10), equal at step 10
    assert desk.opened == [LATE]
    assert desk.pinning.cursor is not None
    assert (desk.pinning.cursor.step, desk.pinning.cursor.episode) == (ended(12).step, 12)
    assert (desk.player.paused, playing.t, desk.player.episodes.epsilon) == (True, 0, 0.0)
    assert desk.pinning.words.startswith(
        "pinned · episode 13 · seen by the checkpoint of step 60,000"
    )  # what the script says of all
    assert "actions as recorded · weights changed during this episode" in desk.pinning.words
    desk.player.advance(0.25, times=30)
    assert m.SendWeights() not in desk.host.sent[asked:]
    desk.pinning.live()
    desk.settle()
    assert (desk.player.playing.t, desk.player.playing.weights_step) == (33, 5_000)  # type: ignore[union-attr]
    assert not desk.player.paused
    assert desk.pinning.words == ""
    assert desk.said == []


def test_of_pins_that_follow_each_other_at_once_only_the_newest_is_opened(desk: Desk) -> None:
    desk.player.host.answers = False
    for number in (3, 8, 15):
        desk.pinning.pin_episode(number)
    assert len(desk.opened) == 1  # the first is being opened, the second was given up
    desk.player.host.answers = True
    desk.player.host.emit(desk.player.host.ready)
    desk.settle()
    assert desk.opened == [0, LATE]
    assert [each.seed for each in desk.player.host.all_of(m.BeginEpisode)][-1] == 1015
    assert desk.player.playing.seed == 1015  # type: ignore[union-attr]
    begun = len(desk.player.host.all_of(m.BeginEpisode))
    desk.pinning.pin_episode(16)  # the same weights: nothing is opened again
    desk.settle()
    assert desk.opened == [0, LATE]
    assert len(desk.player.host.all_of(m.BeginEpisode)) == begun + 1


def test_a_pin_that_is_let_go_of_at_once_leaves_what_played(desk: Desk) -> None:
    desk.player.host.answers = False
    desk.pinning.pin_episode(3)
    desk.pinning.live()
    desk.player.host.answers = True
    desk.player.host.emit(desk.player.host.ready)
    desk.settle()
    assert desk.player.client.choice == "newest"
    assert desk.player.playing.given == 0  # type: ignore[union-attr]
    assert (desk.pinning.pinned, desk.player.episodes.plays_training_episode) == (None, False)


def test_a_pin_while_the_agent_is_loading_waits_for_nothing_else(desk: Desk) -> None:
    desk.player.host.answers = False
    desk.player.choose("best")
    desk.pinning.pin_episode(12)
    desk.player.host.answers = True
    desk.player.host.emit(desk.player.host.ready)
    desk.settle()
    assert desk.opened == ["best", LATE]
    assert desk.player.playing.seed == 1012  # type: ignore[union-attr]
    desk.pinning.live()
    desk.settle()
    assert desk.player.client.choice == "best"


def test_weights_that_are_dropped_before_the_player_opens_them_give_way_to_those_before(desk: Desk) -> None:
    desk.player.host.answers = False
    desk.pinning.pin_episode(12)
    assert desk.opened == [LATE]
    assert desk.session.run.folder is not None
    (desk.session.run.folder / "checkpoints" / f"{LATE}.pt").unlink()
    desk.player.host.answers = True
    desk.player.host.emit(m.Failed(step=0, text="no checkpoint of that step"))
    desk.settle()
    assert desk.opened == [LATE, EARLY]
    assert desk.player.playing.seed == 1012  # type: ignore[union-attr]
    assert (desk.pinning.pinned.checkpoint, desk.player.problem) == (EARLY, "")  # type: ignore[union-attr]


def test_episodes_are_stepped_through_and_the_ends_hold(desk: Desk) -> None:
    desk.pinning.step_episode(-1)
    assert desk.pinning.pinned.number == 19  # type: ignore[union-attr]
    for by, number in ((-1, 18), (1, 19), (1, 19), (-30, 0), (-1, 0)):
        desk.pinning.step_episode(by)
        assert desk.pinning.pinned.number == number  # type: ignore[union-attr]
    desk.settle()
    assert desk.player.playing.seed == 1000  # type: ignore[union-attr]
    assert desk.said == []


def test_an_episode_that_has_just_ended_is_opened_once_it_is_on_the_disk(desk: Desk) -> None:
    folder = desk.session.run.folder
    assert folder is not None
    desk.train([ended(20)])
    desk.pinning.pin_episode(20)
    assert desk.pinning.pinned is None
    store(folder, [ended(20)])
    desk.pinning.tick()
    assert desk.pinning.pinned is not None
    assert desk.pinning.pinned.trace.seed == 1020  # type: ignore[union-attr]
    assert desk.said == []


def test_what_was_not_kept_is_said_in_a_sentence(desk: Desk) -> None:
    desk.train([ended(20)])
    desk.pinning.pin_episode(20)
    for _ in range(MAX_TRIES - 1):  # the first try was at once
        assert desk.said == []
        desk.pinning.tick()
    assert desk.said == ["Episode 21 was not kept, so it cannot be played again."]
    folder = desk.session.run.folder
    assert folder is not None
    (folder / "episodes.dat").write_bytes(b"")
    desk.pinning.pin_episode(3)
    assert "is shorter than its index says" in desk.said[-1]
    for path in (folder / "checkpoints").iterdir():
        path.unlink()
    store(folder, [], stored=())
    shutil.rmtree(folder)
    desk.pinning.pin_episode(3)
    assert "is gone" in desk.said[-1]
    desk.session.run.folder = None
    desk.pinning.pin_episode(3)
    assert desk.said[-1] == "This run keeps no files, so its episodes cannot be played again."
    assert desk.pinning.pinned is None


def test_a_run_without_episodes_says_so(player: Watched, tmp_path: Path) -> None:
    session, said = Session(config.Experiment(), open_host=ScriptedHost), []
    agent_selection = AgentSelection(session, player, demo=None)
    pinning = Pinning(session, player, Library(session), agent_selection)
    session.message.connect(lambda text, _: said.append(str(text)))
    pinning.pin(500)
    pinning.step_episode(1)
    assert said == ["No episode has ended yet."] * 2
    assert pinning.cursor is None


def test_an_environment_that_did_not_repeat_is_said(desk: Desk) -> None:
    assert desk.session.run.folder is not None
    desk.train([ended(20, ret=37.0)])
    store(desk.session.run.folder, [ended(20)])
    desk.pinning.pin_episode(19)
    desk.settle()
    assert desk.pinning.pinned.compared  # type: ignore[union-attr]
    assert "not reproducible" not in desk.pinning.words
    desk.pinning.pin_episode(20)
    desk.settle()
    said = desk.pinning.words.split(" · ")
    assert (
        said[2] == "this environment is not reproducible: the replay differs from the logged episode"
    )  # a narrow card cuts the end


def test_another_run_is_live_again_and_says_so(desk: Desk) -> None:
    desk.pinning.pin_episode(3)
    desk.settle()
    desk.session.stop()
    desk.session.tick(0.0)
    assert desk.session.state is State.STOPPED
    assert desk.pinning.pinned is not None  # a run that ends leaves it
    assert desk.player.playing.seed == 1003  # type: ignore[union-attr]
    desk.session.start()
    assert desk.pinning.pinned is None
    assert desk.said == ["Live again: the pinned episode belongs to the run that was closed."]
    desk.session.tick(0.0)
    desk.host.emit(weights(70))
    desk.session.tick(0.0)
    desk.settle()
    assert desk.player.playing.weights_step == 70  # type: ignore[union-attr]


def test_after_the_run_the_way_back_leads_to_its_best(desk: Desk) -> None:
    desk.pinning.pin_episode(3)
    desk.settle()
    desk.session.stop()
    desk.session.tick(0.0)
    desk.pinning.live()
    desk.settle()
    assert (desk.player.client.choice, desk.player.client.source) == ("best", "best checkpoint")
    assert desk.player.playing.given == 0  # type: ignore[union-attr]


def test_another_episode_for_the_player_lets_go(desk: Desk) -> None:
    desk.pinning.pin_episode(3)
    desk.settle()
    desk.player.episodes.next_episode()
    assert desk.pinning.pinned is None
    desk.settle()
    assert (desk.player.client.choice, desk.player.playing.given) == ("newest", 0)  # type: ignore[union-attr]


def test_other_weights_look_at_the_same_episode(desk: Desk) -> None:
    desk.pinning.pin_episode(12)
    desk.settle()
    desk.player.seek(40)
    desk.settle()
    desk.player.choose(0)
    desk.settle()
    playing = desk.player.playing
    assert playing is not None
    assert desk.opened == [LATE, 0]
    assert (playing.seed, playing.t, playing.given) == (1012, 40, LENGTH)
    assert desk.pinning.pinned is not None


def test_a_driven_episode_is_not_called_as_recorded(desk: Desk) -> None:
    desk.pinning.pin_episode(12)
    desk.settle()
    desk.player.episodes.begin(1012, actions=actions_of(12)[:30].tolist(), person_drives=True, at=30)
    desk.settle()
    assert "actions as recorded up to step 30" in desk.pinning.words


# -- branches ----------------------------------------------------------------------------------------


def branch(desk: Desk, tmp_path: Path, *, keep: bool) -> None:
    """The run is one that branched from a stored one after its fifth episode."""
    folder = desk.session.run.folder
    assert folder is not None
    parent = create(tmp_path / "made", config.Experiment())
    parent = parent.rename(folder.parent / "parent")
    events = [ended(number) for number in range(8)]
    (parent / EVENTS).write_bytes(b"".join(m.encode(event) + b"\n" for event in events))
    store(parent, events, stored=(0, 1000))
    if not keep:
        shutil.rmtree(parent)
    fork = ended(4).step
    later = [ended(number, after=fork) for number in range(3)]
    desk.session.history = History.of([m.Forked(step=fork, parent="parent"), *later])
    shutil.rmtree(folder)
    folder.mkdir()
    store(folder, later, stored=(fork,))


def test_an_episode_before_the_fork_is_opened_from_the_run_it_was_trained_in(desk: Desk, tmp_path: Path) -> None:
    branch(desk, tmp_path, keep=True)
    parent = desk.session.run.folder.parent / "parent"  # type: ignore[union-attr]
    desk.qtbot.waitUntil(lambda: desk.library.curve(parent) is not None, timeout=5000)
    desk.pinning.pin(ended(2).step)
    desk.settle()
    pinned = desk.pinning.pinned
    assert pinned is not None
    assert (pinned.run.folder, pinned.number) == (parent, 2)
    assert desk.player.host.all_of(m.OpenAgent)[-1].folder == str(parent)
    assert "episode 3 of parent" in desk.pinning.words
    for by, name in ((2, "episode 5 of parent"), (1, "episode 1 ·"), (1, "episode 2 ·"), (-2, "episode 5 of parent")):
        desk.pinning.step_episode(by)
        desk.settle()
        assert name in desk.pinning.words
    assert desk.said == []


def test_a_branch_whose_parent_is_gone_says_where_the_episode_was_trained(desk: Desk, tmp_path: Path) -> None:
    branch(desk, tmp_path, keep=False)
    desk.pinning.pin(ended(2).step)
    assert desk.pinning.pinned is None
    assert desk.said == [
        f"Step {ended(2).step:,} was trained in parent, the parent of this run. Its folder is not next to this run's "
        "folder, so its episodes cannot be played."
    ]


# -- parts -------------------------------------------------------------------------------------------


def test_an_episode_is_found_by_its_number_and_by_its_step(tmp_path: Path) -> None:
    store(tmp_path, [ended(number) for number in range(5)])
    found = recorded_episode(tmp_path, 3, ended(3).step)
    assert found is not None
    assert (found.seed, found.actions.tolist()) == (1003, actions_of(3).tolist())
    shifted = recorded_episode(tmp_path, 1, ended(3).step)
    assert shifted is not None
    assert shifted.seed == 1003
    assert recorded_episode(tmp_path, 9, ended(9).step) is None
    assert recorded_episode(tmp_path / "none", 0, 5) is None


def test_the_nearest_checkpoint_is_the_last_before_the_episode_began() -> None:
    assert [nearest_checkpoint([100, 200, 300], begin) for begin in (50, 100, 250, 900)] == [100, 100, 200, 300]
    assert nearest_checkpoint([], 5) is None


def test_weights_changed_if_an_update_fell_into_the_episode() -> None:
    experiment = config.Experiment()
    learn = experiment.learn
    nothing = History()
    assert not weights_changed_within(experiment, nothing, 0, learn.warmup - 1)
    assert weights_changed_within(experiment, nothing, learn.warmup, learn.warmup + 10 * learn.update_every * ENVS)
    rows = History()
    rows.take([m.Learned(step=64, updates=1, loss=0.5)])
    assert weights_changed_within(experiment, rows, 60, 64)
    assert not weights_changed_within(experiment, rows, 64, 70)


def test_a_look_at_the_curve_tells_length_and_checkpoint(desk: Desk) -> None:
    assert desk.pinning.readout(12) == ["length 100", f"checkpoint {LATE:,}"]
    assert desk.pinning.readout(99) == []
    assert desk.pinning.pinned is None
