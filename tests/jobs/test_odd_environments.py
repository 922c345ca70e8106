"""Environments with odd names, pictures and limits in the playing job: it plays, or says why not."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
from player_client import Drawn, Player, player_with_weights, small, weights_of

from dqngui.config import EnvConfig
from dqngui.defaults import default_experiment
from dqngui.messages import Failed, OpenAgent, PlayerReady, UseWeights, Warned, decode_event, encode


class Move(enum.IntEnum):
    UP = 0
    DOWN = 1
    STAY = 2


Register = Callable[..., str]


@pytest.fixture
def register() -> Iterator[Register]:
    """Registers a variant of the drawn environment with other attributes; gives its id."""
    made: list[str] = []

    def registering(**attributes: Any) -> str:
        made.append(f"tests/Variant{len(made)}-v0")
        gymnasium.register(made[-1], entry_point=type("Variant", (Drawn,), attributes))
        return made[-1]

    yield registering
    for env_id in made:
        gymnasium.registry.pop(env_id, None)


@pytest.mark.parametrize(
    "names",
    [
        np.array(["a", "b", "c"]),
        {0: "a", 1: "b", 2: "c"},
        Move,
        None,
        [0, 1, 2],
        {"a": 0},
        lambda self: ["a", "b", "c"],
    ],
)
def test_names_of_any_kind_reach_the_window(register: Register, names: Any) -> None:
    player = Player(small(register(action_names=names, feature_names=names)))
    ready = decode_event(encode(player.ready))
    assert isinstance(ready, PlayerReady) and len(ready.actions) == 3 and len(ready.features) == 2


@pytest.mark.parametrize("rate", ["fast", 0, None, float("nan"), [1]])
def test_a_frame_rate_of_any_kind_is_shown(register: Register, rate: Any) -> None:
    metadata = {"render_modes": ["rgb_array"], "render_fps": rate}
    assert Player(small(register(metadata=metadata))).ready.fps == 30.0


@pytest.mark.parametrize(
    ("render", "shown"),
    [
        (lambda self: np.full((4, 6, 4), (200, 100, 50, 255), np.uint8), (200, 100, 50)),
        (lambda self: np.full((4, 6), 0.5), (128, 128, 128)),
        (lambda self: np.full((4 + self.steps, 6, 3), 100), (100, 100, 100)),
    ],
)
def test_a_picture_of_any_kind_is_shown(register: Register, render: Any, shown: tuple[int, ...]) -> None:
    player = player_with_weights(small(register(render=render)))
    player.episode(3)
    assert player.picture(3)[0, 0].tolist() == list(shown)


def test_a_picture_that_cannot_be_drawn_says_where(register: Register) -> None:
    def render(self: Any) -> Any:
        raise RuntimeError("no display")

    player = Player(small(register(render=render)))
    said = str(player.ready.no_picture)
    assert "could not draw a picture: RuntimeError: no display (test_odd_environments.py, line " in said


def test_a_simulator_that_can_run_once_is_drawn_while_it_is_simulated(register: Register) -> None:
    running: list[int] = []

    def init(self: Any, render_mode: str | None = None) -> None:
        if running:
            raise OSError("address already in use")
        running.append(1)
        Drawn.__init__(self, render_mode=render_mode)

    env_id = register(__init__=init, close=lambda self: running.clear())
    player = Player(small(env_id))
    player.send(UseWeights(step=100, tensors=weights_of(small("tests/Drawn-v0"), 0)))
    player.episode(5)
    assert player.picture(5)[0, 0, 0] == 5
    assert [warned.words for warned in player.received(Warned)] == [
        f"{env_id} can be made only once at a time, so only its newest steps can be shown"
    ]
    player.job.close()  # type: ignore[attr-defined]
    single = default_experiment(EnvConfig(id=env_id))
    other = Player()
    other.send(OpenAgent(experiment=single))
    assert "can be made only once at a time, so nothing plays beside training" in other.until((Failed,)).words
    running.append(1)  # training has it now
    other = Player()
    other.send(OpenAgent(experiment=small(env_id)))
    failure = other.until((Failed,))
    assert failure.mistake and "could not be made: OSError: address already in use" in failure.words
