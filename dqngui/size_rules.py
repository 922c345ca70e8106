"""Rules for sizes: tokens, attention, width and layers of the network and size of the replay, from what a task shows.

A few numbers, and the rows of a table, are one token each. Many numbers, a picture or a grid are one token together.
Attention weighs the rows of a table, and several parts of which one is a picture, a grid, a text or a table. The tokens
of numbers and of categories alone are concatenated: all of them matter at every step, and attention over them made an
update two to three times as slow and learning slower or equal (CartPole with and without velocities, T-maze, Acrobot;
one to five seeds). The replay is limited to a fixed number of bytes, which matters for pictures only.
"""

from __future__ import annotations

import math

import msgspec

from dqngui import catalog
from dqngui.config import Experiment, LearnConfig, NetConfig, ObservationFacts

MOST_FEATURE_TOKENS = 16
MOST_ROW_TOKENS = 32
WIDE_FROM = 64
"""With at least this many numbers, the encoder gets a hidden layer and the agent twice the width; with this many
categories, the agent gets twice the width."""
LARGE_PICTURE = 24
"""With at least this many pixels on its shorter side, a picture gets twice the width."""
WIDE = 128
REPLAY_BYTES = 1_000_000_000
MUCH_ROOM = 250_000_000
"""Bytes of a replay from which on people are told how much room it takes."""
BYTES_OF_A_ROW = 33
"""Bytes that a replay keeps of a step beside its observation: action, reward, its episode's ends and kind of end."""


def _shown(experiment: Experiment) -> ObservationFacts | None:
    return None if experiment.task is None else experiment.task.observation


def tokens(experiment: Experiment) -> str | None:
    """One token a number or row where there are few; one token a part otherwise."""
    shown = _shown(experiment)
    if shown is None:
        return None
    few = shown.numbers <= MOST_FEATURE_TOKENS and shown.rows <= MOST_ROW_TOKENS
    return "feature" if few and shown.numbers + shown.rows > 0 and shown.maps == 0 else "one"


def attention(experiment: Experiment) -> str | None:
    """Self-attention where there are tokens to weigh against each other, none elsewhere."""
    shown = _shown(experiment)
    if shown is None:
        return None
    rows_apart = experiment.net.tokens == "feature" and shown.rows > 0
    return None if rows_apart or (shown.parts > 1 and not shown.only_numbers) else "none"


def _numbers(experiment: Experiment, shown: ObservationFacts) -> int:
    """How many numbers one token has."""
    return shown.numbers + (0 if experiment.net.tokens == "feature" else shown.row_numbers)


def hidden(experiment: Experiment) -> list[int] | None:
    """A layer for many numbers."""
    shown = _shown(experiment)
    return [256] if shown is not None and _numbers(experiment, shown) >= WIDE_FROM else None


def width(experiment: Experiment) -> int | None:
    """Twice the default for much to see; a multiple of the heads that a person chose."""
    shown = _shown(experiment)
    if shown is None:
        return None
    much = max(_numbers(experiment, shown), shown.categories) >= WIDE_FROM or shown.picture_side >= LARGE_PICTURE
    size = WIDE if much else NetConfig().width
    options = (experiment.net.attention_options, experiment.net.memory_options)
    chosen = (each.get("heads", 1) for each in options)
    together = math.lcm(*(heads if isinstance(heads, int) and heads > 0 else 1 for heads in chosen))
    return -(-size // together) * together


def _memory_number(experiment: Experiment, name: str, otherwise: int) -> int:
    """A number that the memory's options have; `otherwise` if they have none or are not right."""
    entry = catalog.MEMORIES.get(experiment.net.memory)
    if entry is None:
        return otherwise
    try:
        return getattr(msgspec.convert(experiment.net.memory_options, entry.options), name, otherwise)
    except msgspec.ValidationError:
        return otherwise


def context(experiment: Experiment) -> int:
    """How many past steps a finite memory reads; 0 for others, and where its options are not right."""
    return _memory_number(experiment, "context", 0)


def memory_length(experiment: Experiment) -> int | None:
    """The length of a finite memory: the horizon and the present step. If the horizon is derived and the replay was
    chosen, what the memory reads takes at most half of what the replay holds.
    """
    length = experiment.net.horizon + 1
    fits = steps_that_fit(experiment) if "net.horizon" in experiment.derived else None
    if length == 1:
        return None
    return length if fits is None else min(length, max(1, fits // 2 // _memory_number(experiment, "layers", 1) + 1))


def replay_capacity(experiment: Experiment) -> int:
    """As many steps as the default, or more where long windows or many environments need them; fewer where pictures
    would take too much memory, but always enough for two windows of each environment.
    """
    learn, usual, envs = experiment.learn, LearnConfig(), experiment.env.num_envs
    longest = learn.window + max(learn.burn_in, context(experiment)) + learn.n_step
    needed = max(2 * longest, 4 * (usual.window + usual.burn_in + usual.n_step)) * envs
    shown = _shown(experiment)
    affordable = math.inf if shown is None else REPLAY_BYTES / max(1, shown.step_bytes)
    return max(needed, int(min(max(usual.replay_capacity, 4 * longest * envs), affordable)))


def replay_bytes(experiment: Experiment) -> int | None:
    """Bytes of the full replay, without a memory's stored states; None without one, or if the task is not known."""
    shown = _shown(experiment)
    if shown is None or experiment.learn.algorithm != "dqn":
        return None
    return experiment.learn.replay_capacity * (shown.step_bytes + BYTES_OF_A_ROW)


def steps_that_fit(experiment: Experiment) -> int | None:
    """Most steps of a window, with those read before its learned ones, that a chosen replay holds; None: any number."""
    learn = experiment.learn
    if learn.algorithm != "dqn" or "learn.replay_capacity" in experiment.derived:
        return None
    return learn.replay_capacity // experiment.env.num_envs // 2 - learn.n_step
