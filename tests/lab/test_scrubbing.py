"""Scrubbing: pictures that were drawn show at once, those near the shown step are drawn ahead, others stand in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dqngui import messages as m
from dqngui.lab.playback.frame_cache import (
    PREFETCH_RADIUS,
    QUICK_PACK_S,
    SLOW_PICTURE_S,
    SPREAD_PICTURES,
    FrameCache,
    Prefetch,
)
from tests.doubles.scripted_player import Clock, Watched


@pytest.fixture
def still(player: Watched, folder: Path) -> Watched:
    """An episode that stands at step 20."""
    player.open(folder=folder)
    player.start()
    player.advance(times=4)
    player.pause()
    player.seek(20)
    player.advance(times=4)
    assert player.shown[-1] == (20, 20)
    return player


def calm(player: Watched, times: int) -> None:
    """Let time pass in which no hand scrubs."""
    player.advance(1.0, times)


def looks(player: Watched) -> list[int | None]:
    return [look.t for look in player.host.all_of(m.Look)]


def test_pictures_around_a_standing_step_are_drawn_ahead_and_none_is_shown(still: Watched) -> None:
    shown = len(still.shown)
    calm(still, 200)
    known = still.playing.length  # type: ignore[union-attr]
    assert 20 < known < 20 + PREFETCH_RADIUS
    assert sorted(looks(still)[-(known - 2) :]) == [*range(1, 20), *range(21, known)]  # 0 and 20 were shown
    assert len(still.shown) == shown
    before = len(still.host.sent)
    calm(still, 20)
    assert len(still.host.sent) == before  # enough is kept
    assert not still.awake


def test_a_step_whose_picture_is_kept_shows_without_a_question(still: Watched) -> None:
    calm(still, 200)
    before = len(still.host.sent)
    for t in (30, 10, 30, 0):
        still.seek(t)
        still.advance()  # one tick, no time for an answer
        assert still.shown[-1] == (t, t)
        assert still.playing.t == t  # type: ignore[union-attr]
    assert len(still.host.sent) == before


def test_a_question_comes_before_what_is_drawn_ahead(still: Watched) -> None:
    still.host.draws = False
    calm(still, 3)
    ahead = looks(still)[-1]
    still.seek(90)
    still.advance()
    assert looks(still)[-1] == 90
    still.host.emit(m.Frame(step=0, number=still.playing.number, t=ahead or 0, tensors={}))  # type: ignore[union-attr]
    shown = len(still.shown)
    still.advance()
    assert len(still.shown) == shown  # a late picture of another step is kept, not shown
    still.host.draw_late()
    still.advance(times=2)
    assert still.shown[-1] == (90, 90)


def test_while_a_picture_is_drawn_for_long_the_nearest_stands_in_for_it(still: Watched) -> None:
    calm(still, 200)
    moved: list[int] = []
    still.moved.connect(moved.append)
    still.host.draws = False
    still.seek(90)
    still.advance()
    assert still.playing.t == 20  # not at once  # type: ignore[union-attr]
    calm(still, 2)
    assert (still.playing.t, still.frames.substitute_step) == (90, 63)  # type: ignore[union-attr]
    assert still.shown[-1] == (90, 63)
    assert moved == [90]
    calm(still, 5)
    assert moved == [90]
    still.host.draw_late()
    still.advance(times=2)
    assert still.frames.substitute_step is None
    assert still.shown[-1] == (90, 90)


def test_another_size_or_episode_has_pictures_of_its_own(still: Watched) -> None:
    calm(still, 200)
    assert len(still.frames.cache) > PREFETCH_RADIUS
    still.draw_at((100, 50))
    assert len(still.frames.cache) == 0
    calm(still, 4)
    assert still.shown[-1] == (20, 20)
    late = m.Frame(step=0, number=still.playing.number, t=21, tensors={"pixels": np.zeros((4, 4, 3), np.uint8)})  # type: ignore[union-attr]
    kept = len(still.frames.cache)
    still.host.emit(late)  # of the former size
    still.advance()
    assert 21 not in still.frames.cache and len(still.frames.cache) == kept
    calm(still, 20)
    still.episodes.next_episode()
    assert len(still.frames.cache) == 0


def test_nothing_is_drawn_ahead_while_it_plays_or_where_there_is_no_picture(player: Watched, folder: Path) -> None:
    player.open(folder=folder)
    player.start()
    player.advance(times=34)  # it has never been sought, so all of this is calm
    assert {look for look in looks(player) if look is not None} == {0}
    player.client.notice = "it does not repeat itself, so only its newest steps can be shown"
    player.pause()
    calm(player, 30)
    assert {look for look in looks(player) if look is not None} == {0}


def test_a_recorded_episode_is_played_to_its_end_at_once_and_no_further(player: Watched, folder: Path) -> None:
    player.open(folder=folder)
    player.start()
    player.advance(times=4)
    player.episodes.play_training_episode(folder, 20_000, 7, [0] * 90)
    player.advance(times=4)
    assert player.playing is not None
    assert player.playing.length == 90
    assert max(look.until for look in player.host.all_of(m.Look)[-3:]) == 90


# -- parts -------------------------------------------------------------------------------------------


def pixels(value: int, side: int = 40) -> np.ndarray:
    return np.full((side, side, 3), value, np.uint8)


def test_kept_pictures_are_the_same_and_bounded() -> None:
    generator = np.random.default_rng(0)
    kept = FrameCache(Clock(), max_bytes=30_000)
    drawn = {t: generator.integers(0, 256, (60, 50, 3)).astype(np.uint8) for t in range(8)}
    for t, picture in drawn.items():
        kept.put(t, picture)
    assert kept.size <= 30_000
    assert [t in kept for t in (0, 7)] == [False, True]
    newest = kept.get(7)
    assert newest is not None
    np.testing.assert_array_equal(newest, drawn[7])
    assert kept.nearest(0) == min(t for t in drawn if t in kept)
    kept.clear()
    assert (len(kept), kept.size, kept.nearest(3)) == (0, 0, None)


def test_while_an_episode_plays_pictures_that_are_slow_to_pack_are_left() -> None:
    times = iter([0.0, 10 * QUICK_PACK_S])
    kept = FrameCache(lambda: next(times))
    kept.put(0, pixels(0), hurried=True)
    kept.put(1, pixels(1), hurried=True)
    assert 0 in kept
    assert 1 not in kept


def test_of_a_slow_environment_pictures_at_equal_distances_come_first() -> None:
    ahead, kept = Prefetch(), FrameCache(Clock())
    ahead.note_duration(40, 2 * SLOW_PICTURE_S)
    order = []
    while (t := ahead.next(kept, 40, 320)) is not None:
        ahead.request(t)
        kept.put(t, pixels(1))
        assert ahead.receive(t)
        order.append(t)
    assert order[: 28 + 4] == [*range(40, 320, 10), 0, 10, 20, 30]
    assert len(range(0, 320, 10)) == SPREAD_PICTURES
    assert set(order) >= {*range(0, 40 + PREFETCH_RADIUS)} - {40} | {40}


def test_what_was_given_up_is_asked_again_and_what_has_no_picture_is_not() -> None:
    ahead, kept = Prefetch(), FrameCache(Clock())
    first = ahead.next(kept, 5, 100)
    assert first == 6
    ahead.request(first)
    ahead.cancel()
    assert ahead.next(kept, 5, 100) == 6
    ahead.request(6)
    assert ahead.receive(6)  # it came without pixels, and is not kept
    assert ahead.next(kept, 5, 100) == 7
