"""Step descriptions: the observed numbers, texts and pictures, at any step of an episode."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from player_client import Player

from dqngui.envs.make import make_vector
from dqngui.messages import BeginEpisode, Describe, Described, Drive, Look, PlayerReady, UseWeights
from dqngui.nets.network import build_network
from dqngui.settings import experiment_from


class Told(gymnasium.Env[Any, Any]):
    """Shows the step's number as a text, a number and a picture of 4 x 6, and draws nothing."""

    def __init__(self) -> None:
        self.observation_space = spaces.Dict(
            {
                "said": spaces.Text(40),
                "number": spaces.Box(-1e3, 1e3, (1,), np.float32),
                "map": spaces.MultiDiscrete(np.full((4, 6), 5)),
            }
        )
        self.action_space = spaces.Discrete(2)
        self.t = 0

    def _observation(self) -> dict[str, Any]:
        grid = np.zeros((4, 6), np.int64)
        grid[1, self.t % 6] = 3
        return {"said": f"step {self.t}, größer", "number": np.array([self.t], np.float32), "map": grid}

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.t = 0
        return self._observation(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.t += 1
        return self._observation(), 1.0, False, self.t == 30, {}


gymnasium.register("tests/Told-v0", entry_point=Told)


class Herd(gymnasium.Env[Any, Any]):
    """A speed and three entities, the last of them absent, which lie where `places` says: an array, or an error.

    The second one is the agent itself.
    """

    entity_sets: ClassVar[dict[str, int]] = {"cows": 1}

    def __init__(self, places: Any = None) -> None:
        cows = spaces.Box(-1, 1, (3, 2), np.float32)
        self.observation_space = spaces.Dict({"a speed": spaces.Box(-1, 1, (1,), np.float32), "cows": cows})
        self.action_space, self.places, self.t = spaces.Discrete(2), places, 0

    def entity_places(self) -> Any:
        if self.places is None:
            raise OSError("the herd is gone")
        places = np.asarray(self.places, float) + 0.01 * self.t
        places[-1] = np.nan
        return places

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        self.observation_space.seed(seed)
        self.t = 0
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.t += 1
        return self.observation_space.sample(), 1.0, False, self.t == 30, {}


gymnasium.register("tests/Herd-v0", entry_point=Herd)


def playing(env: dict[str, Any], **net: Any) -> tuple[Player, PlayerReady]:
    import torch

    experiment = experiment_from({"env": env, "net": {"width": 16, **net}})
    player = Player(experiment)
    spaces_of = make_vector(experiment.env, 1).spaces
    network = build_network(spaces_of, experiment, torch.Generator().manual_seed(0))
    player.send(UseWeights(step=5, tensors=dict(network.state_dict())))
    return player, player.ready


def test_any_step_is_described_though_no_picture_is_drawn() -> None:
    player, ready = playing({"id": "tests/Told-v0"})
    assert (ready.observed_size, ready.transposed, ready.texts) == ((4, 6), False, ("said",))
    assert ready.no_picture
    player.send(BeginEpisode(number=1, seed=3, driven=True, actions=(0,) * 9), Look(number=1, until=100))
    for t in (9, 2, 5):
        player.send(Describe(number=1, t=t))
        description = player.until(Described)
        assert description.t == t
        assert bytes(description.tensors["text/said"]).decode() == f"step {t}, größer"
        assert description.tensors["observation"][ready.features.index("number")] == t
        picture = description.tensors["picture"]
        assert picture.shape == (4, 6, 3)
        different = np.argwhere((picture != picture[0, 0]).any(-1))
        assert different.tolist() == [[1, t % 6]]
    player.send(Describe(number=1, t=10))  # not played yet: it waits
    player.send(Drive(number=1, t=9, action=1))
    assert player.until(Described).t == 10


def test_minigrid_draws_the_view_of_its_agent() -> None:
    pytest.importorskip("minigrid")
    player, ready = playing({"id": "MiniGrid-MemoryS7-v0"})
    assert (ready.observed_size, ready.transposed, ready.texts) == ((7, 7), True, ("mission",))
    player.send(BeginEpisode(number=1, seed=3), Look(number=1, until=5), Describe(number=1, t=0))
    description = player.until(Described).tensors
    assert "object" in bytes(description["text/mission"]).decode()
    assert description["picture"].shape == (112, 112, 3)
    grid: Any = gymnasium.make("MiniGrid-MemoryS7-v0")
    grid.reset(seed=3)
    assert np.array_equal(description["picture"], grid.unwrapped.get_pov_render(tile_size=16))


def test_minigrids_cells_are_named_by_row_and_column_of_what_is_shown() -> None:
    pytest.importorskip("minigrid")
    _, ready = playing({"id": "MiniGrid-MemoryS7-v0"}, tokens="feature")
    assert ready.cells is not None
    first = ready.cells[0]
    assert ready.labels["key"][first : first + 9] == (*(f"cell {row},0" for row in range(7)), "cell 0,1", "cell 1,1")
    assert "mission" in ready.labels["key"]


def test_pictures_are_described_as_the_agent_sees_them() -> None:
    player, ready = playing({"id": "dqngui/Catch-v0"})
    assert ready.observed_size == (10, 9)
    player.send(BeginEpisode(number=1, seed=3), Look(number=1, until=5), Describe(number=1, t=0))
    picture = player.until(Described).tensors["picture"]
    assert picture.shape == (10, 9, 3)
    assert len(np.argwhere(picture[..., 0] > 200)) == 2  # the ball and the paddle


# -- entities ---------------------------------------------------------------------------------------

CORNERS = [[0.1, 0.2], [0.5, 0.6], [0.0, 0.0]]


def herd(places: Any, tokens: str = "feature") -> tuple[Player, PlayerReady]:
    player, ready = playing({"id": "tests/Herd-v0", "kwargs": {"places": places}}, tokens=tokens)
    player.send(BeginEpisode(number=1, seed=3), Look(number=1, until=20))
    return player, ready


def test_places_of_entities_are_those_of_the_requested_step() -> None:
    player, ready = herd(CORNERS)
    assert ready.entities == (1, 3)  # after the token of the speed
    assert ready.labels["key"] == ("a speed", "cows 1", "you (cows)", "cows 3")
    assert ready.labels["feature"][3:5] == ("you (cows): cows[0]", "you (cows): cows[1]")
    for t in (6, 2):
        player.send(Describe(number=1, t=t))
        places = player.until(Described).tensors["places"]
        assert places.dtype == np.float32
        assert np.allclose(places[:2], np.array(CORNERS)[:2] + 0.01 * t) and np.isnan(places[2]).all()


def test_places_of_find_pass_through_its_wrappers() -> None:
    env = {"id": "dqngui/Find-v0", "wrappers": [{"name": "time_limit", "options": {"steps": 5}}]}
    player, ready = playing(env, tokens="feature")
    assert ready.entities == (0, 16)
    player.send(BeginEpisode(number=1, seed=3), Look(number=1, until=5), Describe(number=1, t=0))
    own: Any = gymnasium.make("dqngui/Find-v0")
    own.reset(seed=3)
    description = player.until(Described).tensors["places"]
    assert np.array_equal(description, own.unwrapped.entity_places(), equal_nan=True)


@pytest.mark.parametrize("places", [None, CORNERS[:2], [0.5, 0.5, 0.5]])
def test_wrong_places_are_left_out_and_the_episode_goes_on(places: Any) -> None:
    player, _ = herd(places)
    for t in (0, 4):
        player.send(Describe(number=1, t=t))
        description = player.until(Described).tensors  # an error would be Failed
        assert "places" not in description and len(description["observation"]) == 7


def test_entities_that_are_no_tokens_have_no_places() -> None:
    player, ready = herd(CORNERS, tokens="one")
    assert ready.entities is None
    player.send(Describe(number=1, t=1))
    assert "places" not in player.until(Described).tensors
