"""Drawing windows from a replay: pieces of episodes with equal probabilities, or by priority."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dqngui.learning.episode_table import EpisodeTable
from dqngui.learning.priorities import WindowPriorities
from dqngui.learning.windows import Steps, WindowRule

_TRIES = 50


class StoredSteps(Protocol):
    """What is read of a replay; its attributes are described there."""

    num_envs: int
    rows: int
    generator: np.random.Generator
    head: Steps
    start: Steps
    end: Steps
    offset: Steps
    episodes: EpisodeTable
    priorities: WindowPriorities | None


@dataclass(frozen=True, slots=True)
class DrawnWindows:
    """B windows.

    Attributes:
        env: their environments, (B,).
        s, stop: positions of the first learned step and of the one after the last, (B,).
        index: leaf of the priority, or without priorities row of the first learned step, (B,).
    """

    env: Steps
    s: Steps
    stop: Steps
    index: Steps


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Pieces of episodes: environment and number of its rows so far, first position of the piece, and first and last
    position of the episode, (C,) each.
    """

    env: Steps
    head: Steps
    position: Steps
    start: Steps
    end: Steps


def draw_windows(steps: StoredSteps, count: int, rule: WindowRule) -> DrawnWindows | None:
    """`count` windows. Pieces are drawn until enough of them hold a step that can be learned; None if too few do."""
    filled = min(int(steps.head.max()), steps.rows)
    priorities = steps.priorities
    if filled == 0 or (priorities is not None and priorities.tree.total <= 0.0):
        return None
    if rule.length > 1:
        steps.episodes.forget(steps.head - steps.rows)
    found: list[DrawnWindows] = []
    missing = count
    for _ in range(_TRIES):
        tried = 8 + missing * 5 // 4
        if priorities is None:
            pieces, leaf = _uniform_pieces(steps, tried, filled, rule), None
        else:
            leaf, nth = priorities.draw(tried, steps.generator)
            pieces = _pieces_at(steps, leaf, nth, rule)
        s, stop = rule.learned(pieces.position, pieces.start)
        s = np.maximum(s, rule.oldest_learnable(pieces.start, pieces.head - steps.rows))
        # A running episode cannot be learned where its next n rewards are not yet known.
        stop = np.minimum(stop, np.where(pieces.end >= 0, pieces.end, pieces.head - rule.n_step))
        good = np.flatnonzero(s < stop)[:missing]
        env, s = pieces.env[good], s[good]
        index = steps.offset[env] + s % steps.rows if leaf is None else leaf[good]
        found.append(DrawnWindows(env, s, stop[good], index))
        missing -= len(good)
        if missing == 0:
            return found[0] if len(found) == 1 else _joined(found)
    return None


def _uniform_pieces(steps: StoredSteps, count: int, filled: int, rule: WindowRule) -> _Pieces:
    """Pieces with equal probabilities.

    One begins at each stored step; the others begin before an episode, or before what is stored of it. If windows start
    with their episode, there is one piece of each episode. Some that are drawn do not exist; their episode ends at 0.
    """
    inside = 0 if rule.from_start else steps.num_envs * filled
    each = 1 if rule.from_start else rule.pieces_before
    most = steps.episodes.most
    drawn = steps.generator.integers(inside + steps.num_envs * most * each, size=count)
    if each == 0:
        return _pieces_from(steps, *np.divmod(drawn, filled))
    before = np.flatnonzero(drawn >= inside)
    episode, nth = np.divmod(drawn[before] - inside, each)
    drawn[before] = 0
    pieces = _pieces_from(steps, *np.divmod(drawn, filled))
    env, index = np.divmod(episode, most)
    start, end = steps.episodes.episodes(env, index)
    head = steps.head[env]
    first = start if rule.from_start else np.maximum(start, head - steps.rows) - 1 - nth
    _replace(pieces, before, _Pieces(env, head, first, start, end))
    return pieces


def _pieces_at(steps: StoredSteps, leaf: Steps, nth: Steps, rule: WindowRule) -> _Pieces:
    """The `nth` pieces, counted backwards, of those that have these leaves of the priorities."""
    rows = steps.num_envs * steps.rows
    cut = np.flatnonzero(leaf >= rows)
    env, place = np.divmod(np.where(leaf >= rows, 0, leaf) if len(cut) else leaf, steps.rows)
    pieces = _pieces_from(steps, env, place)
    np.subtract(pieces.position, nth, out=pieces.position)
    if len(cut):
        env = leaf[cut] - rows
        start, end = steps.episodes.episodes(env, np.zeros_like(env))
        head = steps.head[env]
        oldest = head - steps.rows
        end = np.where(oldest > start, end, 0)  # all rows of the episode are stored: there is no such piece
        first = rule.cut(oldest - start)  # the pieces of this cut and of later ones have leaves of their own
        position = start + first - rule.pieces_at(first) - nth[cut]
        _replace(pieces, cut, _Pieces(env, head, position, start, end))
    return pieces


def _pieces_from(steps: StoredSteps, env: Steps, place: Steps) -> _Pieces:
    """Pieces that begin at these places of the environments' rings; where nothing is stored, the episode ends at 0."""
    head = steps.head[env]
    newest = head - 1
    position = newest - (newest - place) % steps.rows
    row = steps.offset[env] + place
    return _Pieces(env, head, position, steps.start[row], np.where(position < 0, 0, steps.end[row]))


def _replace(pieces: _Pieces, which: Steps, others: _Pieces) -> None:
    """Put other pieces in the places of some, in place: their order stays random."""
    pieces.env[which], pieces.head[which], pieces.position[which] = others.env, others.head, others.position
    pieces.start[which], pieces.end[which] = others.start, others.end


def _joined(found: Sequence[DrawnWindows]) -> DrawnWindows:
    columns = zip(*((each.env, each.s, each.stop, each.index) for each in found), strict=True)
    return DrawnWindows(*(np.concatenate(column) for column in columns))
