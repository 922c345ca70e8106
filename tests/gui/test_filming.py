"""A film of the player's episode: every step once, with what the agent attends to, and nothing half done is left."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from dqngui.config import Experiment
from dqngui.gui.export.film import Filming, pace_of, shown_steps
from dqngui.gui.export.film_sheet import FilmSheet
from dqngui.gui.panels.internals.attention_panel import AttentionPanel
from dqngui.gui.panels.internals.memory_panel import MemoryPanel
from dqngui.gui.style import theme as themes
from dqngui.hosts import open_host
from dqngui.lab.analysis.overlay import WeightsOverlay
from dqngui.lab.playback.player import Player
from dqngui.messages import Weights
from dqngui.settings import experiment_from
from dqngui.texts import words

LENGTH = 12


def agent() -> tuple[Experiment, dict[str, Any]]:
    import torch

    from dqngui.envs.make import make_vector
    from dqngui.nets.network import build_network

    net = {"width": 8, "memory": "gru", "attention": "self", "tokens": "feature", "attention_options": {"heads": 2}}
    experiment = experiment_from({"env": {"id": "dqngui/TMaze-v0", "kwargs": {"length": LENGTH - 1}}, "net": net})
    envs = make_vector(experiment.env, 1)
    return experiment, build_network(envs.spaces, experiment, torch.Generator().manual_seed(0)).state_dict()


@pytest.fixture
def player(qtbot: QtBot, qapp: QApplication) -> Iterator[Player]:
    themes.apply(qapp, "dark")
    player = Player(open_host=lambda kind, request: open_host("thread", request))
    experiment, weights = agent()
    player.start()
    player.show_in(pictures=True, views=False)
    player.open(experiment=experiment)
    player.client.use_weights(Weights(step=1000, tensors=weights))
    qtbot.waitUntil(lambda: player.frame is not None, timeout=30_000)
    yield player
    player.stop()
    qtbot.waitUntil(lambda: not player.alive, timeout=10_000)
    player.join()


def filmed(qtbot: QtBot, filming: Filming) -> str:
    with qtbot.waitSignal(filming.ended, timeout=60_000) as end:
        filming.start()
    return words(end.args[0])


def frames_of(path: Path) -> tuple[dict[str, Any], np.ndarray]:
    reader = imageio_ffmpeg.read_frames(str(path))
    about = next(reader)
    width, height = about["size"]
    return about, np.stack([np.frombuffer(frame, np.uint8).reshape(height, width, 3) for frame in reader])


def test_a_film_shows_every_step_with_the_panels_beside_it(qtbot: QtBot, player: Player, tmp_path: Path) -> None:
    path = tmp_path / "episode.mp4"
    player.play()
    filming = Filming(player, [AttentionPanel(), MemoryPanel()], path)
    told: list[tuple[int, int]] = []
    filming.progressed.connect(lambda done, of: told.append((done, of)))
    assert filmed(qtbot, filming) == ""
    assert not filming.active and not player.paused
    about, frames = frames_of(path)
    assert about["size"] == (1280, 720) and about["fps"] == 10.0
    assert len(frames) == LENGTH + 1
    assert told[-1] == (LENGTH + 1, LENGTH + 1)
    assert player.playing is not None and player.playing.has_views
    changes = np.abs(np.diff(frames.astype(int), axis=0)).max(axis=3) > 24
    left, right = changes[:, :, :700].any(axis=(1, 2)), changes[:, :, 740:].any(axis=(1, 2))
    assert left.all() and right[:-1].all()  # the agent walks, and its memory moves
    assert [file.name for file in tmp_path.iterdir()] == ["episode.mp4"]


def test_a_gif_shows_every_step_with_what_the_agent_sees(qtbot: QtBot, player: Player, tmp_path: Path) -> None:
    path = tmp_path / "episode.gif"
    player.episodes.record_views(True)  # plays the episode anew
    qtbot.waitUntil(lambda: player.playing is not None and player.playing.has_views, timeout=30_000)
    filming = Filming(player, [], path, sees=True, overlay=WeightsOverlay("attention/pool"))
    assert filmed(qtbot, filming) == ""
    about, frames = frames_of(path)
    assert about["codec"].startswith("gif")
    assert about["size"] == (800, 450) and about["fps"] == 10.0
    assert len(frames) == LENGTH + 1
    changes = np.abs(np.diff(frames.astype(int), axis=0)).max(axis=3) > 24
    sees = changes[:, :320, 490:].any(axis=(1, 2))
    assert sees[0] and sees[LENGTH - 2]  # the cue goes, the junction comes
    assert path.stat().st_size < 2 << 20
    assert [file.name for file in tmp_path.iterdir()] == ["episode.gif"]


def test_a_cancelled_film_leaves_nothing(qtbot: QtBot, player: Player, tmp_path: Path) -> None:
    path = tmp_path / "episode.mp4"
    path.write_bytes(b"an older film")
    filming = Filming(player, [], path)
    filming.progressed.connect(lambda done, of: filming.cancel() if done == 3 else None)
    assert filmed(qtbot, filming) == "cancelled"
    qtbot.waitUntil(lambda: [file.name for file in tmp_path.iterdir()] == ["episode.mp4"], timeout=10_000)
    assert path.read_bytes() == b"an older film"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("episode.avi", "must end in .mp4 or .gif"),
        ("nowhere/episode.mp4", "there is no folder"),
        ("taken/episode.mp4", "no folder"),
    ],
)
def test_where_no_film_can_be_written_is_said(
    qtbot: QtBot, player: Player, tmp_path: Path, name: str, says: str
) -> None:
    (tmp_path / "taken").write_text("a file")
    reason = filmed(qtbot, Filming(player, [], tmp_path / name))
    assert says in reason and "\n" not in reason
    assert [file.name for file in tmp_path.iterdir()] == ["taken"]


def test_a_full_disk_is_said_in_a_sentence(
    qtbot: QtBot, player: Player, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_frames(path: str, *args: Any, **options: Any) -> Iterator[None]:
        yield
        raise OSError("[Errno 32] Broken pipe\n\nFFMPEG COMMAND: ...")

    monkeypatch.setattr(imageio_ffmpeg, "write_frames", write_frames)
    path = tmp_path / "episode.mp4"
    reason = filmed(qtbot, Filming(player, [], path))
    assert reason == f"`{path}`: the film could not be written; the disk may be full"
    qtbot.waitUntil(lambda: not list(tmp_path.iterdir()), timeout=10_000)


def test_an_encoder_that_cannot_begin_ends_the_film(
    qtbot: QtBot, player: Player, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_frames(*args: Any, **options: Any) -> None:
        raise RuntimeError("No ffmpeg exe\ncould be found.")

    monkeypatch.setattr(imageio_ffmpeg, "write_frames", write_frames)
    assert filmed(qtbot, Filming(player, [], tmp_path / "episode.mp4")) == (
        "the encoder failed: No ffmpeg exe could be found."
    )


def test_an_encoder_that_could_not_write_the_end_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dqngui.config import ConfigError
    from dqngui.jobs.film import Film

    write_frames = imageio_ffmpeg.write_frames

    def write_a_part(path: str, *given: Any, **how: Any) -> Iterator[None]:
        encoder = write_frames(path, *given, **how)
        encoder.send(None)
        try:
            while True:
                encoder.send((yield))
        finally:
            encoder.close()
            Path(path).write_bytes(Path(path).read_bytes()[:100])

    monkeypatch.setattr(imageio_ffmpeg, "write_frames", write_a_part)
    with pytest.raises(ConfigError, match="the disk may be full"), Film(tmp_path / "film.mp4", 10) as film:
        film.add(np.zeros((64, 64, 3), np.uint8))
    assert not list(tmp_path.iterdir())


def test_another_episode_ends_the_film(qtbot: QtBot, player: Player, tmp_path: Path) -> None:
    filming = Filming(player, [], tmp_path / "episode.mp4")
    filming.progressed.connect(lambda done, of: player.episodes.next_episode() if done == 2 else None)
    assert filmed(qtbot, filming) == "the player left the episode before its film was done"
    qtbot.waitUntil(lambda: not list(tmp_path.iterdir()), timeout=10_000)


def test_a_user_who_moves_the_player_does_not_spoil_the_film(qtbot: QtBot, player: Player, tmp_path: Path) -> None:
    filming = Filming(player, [], tmp_path / "episode.mp4")
    filming.progressed.connect(lambda done, of: (player.seek(1), player.play()) if done == 5 else None)
    assert filmed(qtbot, filming) == ""
    assert len(frames_of(filming.path)[1]) == LENGTH + 1


def test_a_picture_that_stands_in_is_not_filmed(
    qtbot: QtBot, player: Player, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "dqngui.lab.playback.frame_requests.SUBSTITUTE_AFTER_S", -1.0
    )  # any picture that is not kept is stood in for
    filmed_as: list[int | None] = []
    framed_as: list[int | None] = []
    render = FilmSheet.render_step

    def render_step(sheet: FilmSheet, *args: Any) -> Any:
        filmed_as.append(player.frames.substitute_step)
        return render(sheet, *args)

    monkeypatch.setattr(FilmSheet, "render_step", render_step)
    player.framed.connect(lambda: framed_as.append(player.frames.substitute_step))
    assert filmed(qtbot, Filming(player, [], tmp_path / "episode.mp4")) == ""
    assert any(step is not None for step in framed_as)
    assert filmed_as == [None] * (LENGTH + 1)


def test_without_a_picture_the_observation_is_drawn(qtbot: QtBot, player: Player) -> None:
    player.seek(10**6)
    qtbot.waitUntil(lambda: player.playing is not None and player.playing.ended, timeout=10_000)
    assert player.playing is not None
    sheet = FilmSheet(player.playing, [])
    one, same, other = (sheet.render_step(t, None) for t in (1, 1, LENGTH - 1))
    place = sheet.observation.rect().translated(sheet.observation.mapTo(sheet, sheet.observation.rect().topLeft()))
    assert place.width() > 300 and sheet.picture.isHidden()
    assert one.copy(place) == same.copy(place) and one.copy(place) != other.copy(place)
    sheet.close()


def test_a_program_that_ends_leaves_no_half_film(tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from PySide6.QtGui import QImage
from dqngui.gui.export.film import _Encoder
encoder = _Encoder(Path({str(tmp_path / "film.mp4")!r}), 10)
image = QImage(64, 64, QImage.Format.Format_RGB888)
image.fill(0)
encoder.take(image)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert not list(tmp_path.iterdir())


def test_a_gif_shows_fewer_steps_at_the_same_pace() -> None:
    assert pace_of(Path("a.gif"), 12, 10.0) == ([*range(13)], 10.0)
    steps, fps = pace_of(Path("a.gif"), 100, 50.0)
    assert fps == 12.5 and steps[:3] == [0, 4, 8] and steps[-1] == 100
    for length in (500, 5_000, 100_000):
        steps, fps = pace_of(Path("a.gif"), length, 50.0)
        assert len(steps) <= 20 * fps + 1
    assert pace_of(Path("a.mp4"), 100, 50.0) == ([*range(101)], 50.0)


def test_a_film_takes_a_minute_at_most() -> None:
    assert shown_steps(3, 10) == [0, 1, 2, 3]
    for length in (599, 600, 601, 5000, 20_000):
        steps = shown_steps(length, 10)
        assert len(steps) <= 600 and steps[0] == 0 and steps[-1] == length and len(set(steps)) == len(steps)
