"""Every kind of observation part becomes tokens: shapes, names, gradients, presence, and what they depend on."""

from __future__ import annotations

import math
from typing import Any

import gymnasium
import msgspec
import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch.profiler import ProfilerActivity, profile

from dqngui.config import EnvConfig
from dqngui.defaults import default_experiment
from dqngui.envs.make import make_vector
from dqngui.envs.spaces import ObservationLayout, ObservationPart, Spaces
from dqngui.envs.words import word_ids
from dqngui.jobs.training import Training
from dqngui.learning.acting import inputs_of
from dqngui.learning.number_moments import NumberMoments
from dqngui.nets.encoders import Encoder
from dqngui.nets.encoders.categories import DiscreteEncoder
from dqngui.nets.encoders.maps import GridEncoder
from dqngui.nets.initialise import build
from dqngui.nets.network import build_network
from dqngui.settings import with_settings

T, B, D = 5, 3, 12


class Sights(gymnasium.Env[Any, Any]):
    """Episodes of six steps that show samples of a space."""

    def __init__(self, space: spaces.Space[Any]) -> None:
        self.observation_space, self.action_space, self.left = space, spaces.Discrete(3), 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self.observation_space.seed(seed)
        self.left = 6
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.left -= 1
        return self.observation_space.sample(), float(action == 1), self.left == 0, False, {}


gymnasium.register("tests/Frames-v0", lambda: Sights(spaces.Box(0, 255, (4, 84, 84), np.uint8)))
gymnasium.register("tests/Traffic-v0", lambda: Sights(spaces.Box(-np.inf, np.inf, (5, 5))))

KINDS = {
    "vector": (spaces.Box(-1, 1, (4,)), 4),
    "discrete": (spaces.MultiDiscrete([3, 5]), 1),
    "small picture": (spaces.Box(0, 255, (4, 5, 3), np.uint8), 20),
    "bits": (spaces.Box(0, 1, (10, 10, 4), bool), 25),
    "picture": (spaces.Box(0, 255, (40, 30), np.uint8), 20),
    "frames": (spaces.Box(0, 255, (4, 84, 84), np.uint8), 49),
    "large picture": (spaces.Box(0, 255, (210, 160, 3), np.uint8), 24),
    "float picture": (spaces.Box(0, 1, (3, 12, 12)), 36),
    "grid": (spaces.MultiDiscrete(np.full((7, 6, 3), [4, 5, 2])), 42),
    "grid of many categories": (spaces.MultiDiscrete(np.full((6, 5, 4), [40, 30, 10, 5])), 30),
    "large grid": (spaces.MultiDiscrete(np.full((16, 16), 3)), 64),
    "rows": (spaces.Box(-1, 1, (5, 3)), 5),
    "entities": (spaces.Box(-1, 1, (5, 3)), 5),
    "text": (spaces.Text(20, charset="ab c"), 1),
}


def described(space: spaces.Space) -> Spaces:
    parts = ObservationLayout(space).parts
    count = sum(part.named_numbers for part in parts)
    return Spaces(parts, 2, tuple(f"f{index}" for index in range(count)))


def as_set(described_: Spaces, **known: Any) -> Spaces:
    """The same, where the tables are sets."""
    parts = (
        msgspec.structs.replace(part, kind="entities", **known) if part.kind == "rows" else part
        for part in described_.parts
    )
    return msgspec.structs.replace(described_, parts=tuple(parts))


def built(described_: Spaces, tokens: str, hidden: tuple[int, ...] = (), standardise: bool = False) -> Encoder:
    generator = torch.Generator().manual_seed(1)
    return build(lambda: Encoder(described_, tokens=tokens, hidden=hidden, width=D, standardise=standardise), generator)


def encoder_of(space: spaces.Space, tokens: str, hidden: tuple[int, ...] = ()) -> Encoder:
    return built(described(space), tokens, hidden)


def encoder_of_kind(kind: str, tokens: str, hidden: tuple[int, ...] = ()) -> Encoder:
    known = described(KINDS[kind][0])
    return built(as_set(known, own=1) if kind == "entities" else known, tokens, hidden)


def sampled(space: spaces.Space, steps: int = T) -> dict[str, torch.Tensor]:
    space.seed(0)
    stored = ObservationLayout(space).gather([space.sample() for _ in range(steps * B)])
    return {name: torch.from_numpy(values.copy()).unflatten(0, (steps, B)) for name, values in stored.items()}


@pytest.mark.parametrize("tokens", ["one", "feature"])
@pytest.mark.parametrize("kind", KINDS)
def test_tokens_have_names_and_every_parameter_a_gradient(kind: str, tokens: str) -> None:
    space, features = KINDS[kind]
    encoder, observation = encoder_of_kind(kind, tokens), sampled(space)
    x, present = encoder(observation)
    assert encoder.count == len(set(encoder.labels)) == (features if tokens == "feature" else 1)
    assert x.shape == (T, B, encoder.count, D) and x.dtype == torch.float32
    assert (present is not None) == (kind == "entities" and tokens == "feature")
    (x * torch.randn(x.shape, generator=torch.Generator().manual_seed(3))).sum().backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("tokens", ["one", "feature"])
@pytest.mark.parametrize("kind", KINDS)
def test_steps_are_independent_and_precise(kind: str, tokens: str) -> None:
    """One step at a time gives the same in double precision, and another observation something else."""
    space, _ = KINDS[kind]
    encoder = encoder_of_kind(kind, tokens, (7,)).double()
    observation = {n: part.double() if part.is_floating_point() else part for n, part in sampled(space).items()}
    with torch.no_grad():
        torch.set_default_dtype(torch.float64)
        try:
            whole, _ = encoder(observation)
            steps = [encoder({name: part[t : t + 1] for name, part in observation.items()})[0] for t in range(T)]
        finally:
            torch.set_default_dtype(torch.float32)
    assert whole.dtype == torch.float64
    assert torch.allclose(whole, torch.cat(steps), atol=1e-12)
    assert (whole[0, 0] - whole[1, 0]).abs().max() > 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_raw_numbers_are_small_and_as_many_as_said(kind: str) -> None:
    space, _ = KINDS[kind]
    encoder, observation = encoder_of_kind(kind, "one"), sampled(space)
    raw = encoder.raw(observation)
    assert raw.shape == (T, B, encoder.raw_size) and raw.dtype == torch.float32
    assert raw.abs().sum() > 0 or kind == "text"
    assert raw.numel() == 0 or (raw.abs().max() <= 1.0 and raw.abs().max() > 0.5)


def test_a_grids_raw_numbers_are_shares_of_its_channels() -> None:
    space = spaces.MultiDiscrete(np.full((7, 6, 3), [4, 5, 2]))
    full = {"observation": torch.tensor(space.nvec - 1, dtype=torch.uint8).reshape(1, 1, -1)}
    assert torch.equal(encoder_of(space, "one").raw(full), torch.ones(1, 1, 126))


# -- units ----------------------------------------------------------------------------------------

UNITS = {
    "floats": spaces.Box(-np.inf, np.inf, (7,)),
    "bytes": spaces.Box(0, 255, (7,), np.uint8),
    "few bytes of two axes": spaces.Box(0, 255, (2, 3), np.uint8),
    "whole numbers": spaces.Box(-100, 100, (7,), np.int16),
    "rows": spaces.Box(-np.inf, np.inf, (40, 33)),
    "window of three axes": spaces.Box(-np.inf, np.inf, (6, 20, 3)),
    "depths": spaces.Box(0, 10_000, (32, 32)),
    "picture, channels last": spaces.Box(0, 10_000, (8, 9, 3)),
    "picture, channels first": spaces.Box(-50, 50, (3, 8, 9), np.float64),
    "frames": spaces.Box(0, 10_000, (2, 8, 9, 3)),
}


def with_units(space: spaces.Space) -> tuple[Encoder, ObservationPart]:
    return built(described(space), "one", standardise=True), described(space).parts[0]


def measured_tokens(encoder: Encoder, part: ObservationPart, shown: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Tokens and raw numbers of what was shown (N, F), after it was measured."""
    numbers = NumberMoments(part)
    numbers.observe(shown)
    measured = numbers.measured()
    assert measured is not None
    encoder.standardised[part.name].set(*measured)
    observation = {part.name: torch.from_numpy(shown.astype(part.dtype)).unsqueeze(0)}
    with torch.no_grad():
        return encoder(observation)[0], encoder.raw(observation)


@pytest.mark.parametrize("kind", UNITS)
def test_what_has_a_unit_is_seen_in_deviations_whatever_the_unit_is(kind: str) -> None:
    encoder, part = with_units(UNITS[kind])
    shown = np.random.default_rng(0).integers(10, 15, (30, *part.shape))
    tokens, raw = measured_tokens(encoder, part, shown)
    assert bool(encoder.raw_standardised.all())
    assert abs(float(raw.mean())) < 1e-3 and float(raw.std()) == pytest.approx(1.0, abs=0.02)
    for factor, shift in ((3, 20), (1, 0), (15, 0)):
        same = measured_tokens(encoder, part, shown * factor + shift)
        torch.testing.assert_close(same, (tokens, raw), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", UNITS)
def test_the_middle_of_what_has_a_unit_is_seen_as_zeros(kind: str) -> None:
    encoder, part = with_units(UNITS[kind])
    shown = np.random.default_rng(0).integers(10, 15, (30, *part.shape))
    measured_tokens(encoder, part, shown)
    middle = encoder.standardised[part.name].middle(torch.from_numpy(shown).float().unsqueeze(0))
    assert middle.shape == (1, 30, *part.shape)
    assert not encoder.raw({part.name: middle}).any()


def test_each_channel_of_a_picture_has_its_own_unit_in_any_order_of_axes() -> None:
    last = np.random.default_rng(0).normal((5.0, 200.0, -3.0), (1.0, 50.0, 0.1), (30, 8, 9, 3))
    seen = []
    for pictures in (last, np.moveaxis(last, -1, 1)):
        encoder, part = with_units(spaces.Box(-1000, 1000, pictures.shape[1:]))
        _, raw = measured_tokens(encoder, part, pictures.reshape(30, -1))
        seen.append(raw.reshape(pictures.shape))
    assert (seen[0].std(dim=(0, 1, 2)) - 1).abs().max() < 0.01
    assert torch.equal(seen[0], seen[1].movedim(1, -1))


def test_a_network_that_does_not_standardise_sees_bytes_as_shares_of_their_bound() -> None:
    encoder = encoder_of(UNITS["bytes"], "one")
    assert torch.equal(encoder.raw({"observation": torch.full((1, 1, 7), 255, dtype=torch.uint8)}), torch.ones(1, 1, 7))
    assert not encoder.standardised and not bool(encoder.raw_standardised.any())


# -- pictures and grids ---------------------------------------------------------------------------


def test_cells_are_named_by_row_and_column_and_see_their_place() -> None:
    space = spaces.MultiDiscrete(np.full((3, 4, 2), 5))
    encoder = encoder_of(space, "feature")
    assert encoder.labels[:5] == ("cell 0,0", "cell 0,1", "cell 0,2", "cell 0,3", "cell 1,0")
    assert encoder.cells == (0, 3, 4)
    empty = torch.zeros(1, 1, 3, 4, 2, dtype=torch.uint8)
    changed = empty.clone()
    changed[0, 0, 1, 2] = 3
    with torch.no_grad():
        plain, _ = encoder({"observation": empty.flatten(2)})
        other, _ = encoder({"observation": changed.flatten(2)})
    moved = (plain != other).any(-1)[0, 0]
    assert moved.nonzero().flatten().tolist() == [1 * 4 + 2]
    assert (plain[0, 0, 0] != plain[0, 0, 1]).any()  # equal cells at different places


def test_the_order_of_axes_does_not_matter_to_what_is_seen() -> None:
    last, first = (spaces.Box(0, 255, shape, np.uint8) for shape in ((8, 9, 3), (3, 8, 9)))
    picture = torch.randint(0, 256, (1, 1, 8, 9, 3), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    with torch.no_grad():
        a, _ = encoder_of(last, "feature")({"observation": picture.flatten(2)})
        b, _ = encoder_of(first, "feature")({"observation": picture.permute(0, 1, 4, 2, 3).flatten(2)})
    assert torch.allclose(a, b, atol=1e-6)


def test_a_region_of_a_picture_is_seen_by_the_token_at_its_place() -> None:
    encoder = encoder_of(spaces.Box(0, 255, (8, 8), np.uint8), "feature")
    assert encoder.cells == (0, 8, 8)
    dark = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    lit = dark.clone()
    lit[0, 0, 6, 1] = 255
    with torch.no_grad():
        moved = (encoder({"observation": dark.flatten(2)})[0] - encoder({"observation": lit.flatten(2)})[0]).abs()
    rows, columns = torch.nonzero(moved.sum(-1).reshape(8, 8), as_tuple=True)
    assert rows.min() >= 4 and columns.max() <= 3  # two convolutions of three cells reach two cells far


def test_a_small_picture_is_read_by_one_convolution_unless_three_are_asked_for() -> None:
    space = spaces.Box(0, 1, (10, 10, 4), np.uint8)

    def convolutions(count: str) -> list[tuple[int, ...]]:
        made = Encoder(described(space), tokens="one", hidden=(), width=D, convolutions=count)
        return [tuple(each.weight.shape) for each in made.modules() if isinstance(each, torch.nn.Conv2d)]

    assert convolutions("one") == [(16, 4, 3, 3)]
    assert convolutions("three") == [(16, 4, 3, 3), (32, 16, 3, 3), (32, 32, 3, 3)]


def test_an_unknown_category_counts_as_the_last() -> None:
    space = spaces.MultiDiscrete(np.full((3, 3), 4))
    encoder = encoder_of(space, "one")
    with torch.no_grad():
        last, too_large = (encoder({"observation": torch.full((1, 1, 9), n, dtype=torch.uint8)})[0] for n in (3, 200))
    assert torch.equal(last, too_large)


@pytest.mark.parametrize("sizes", [(4,), (3, 4), (3, 5, 2) * 4, (1000, 2) * 4])
def test_discrete_entries_are_the_sum_of_their_embeddings(sizes: tuple[int, ...]) -> None:
    space = spaces.MultiDiscrete(sizes, seed=0)
    encoder = encoder_of(space, "one").parts[0]
    assert isinstance(encoder, DiscreteEncoder)
    sample = torch.from_numpy(np.stack([space.sample() for _ in range(6)]).astype(np.int32)).view(2, 3, -1)
    offsets = torch.tensor([sum(sizes[:entry]) for entry in range(len(sizes))])
    with torch.no_grad():
        expected = encoder.embedding[sample + offsets].sum(-2, keepdim=True)
        assert torch.allclose(encoder(sample), expected, atol=1e-5)


def test_many_categories_take_no_memory_for_each_of_them() -> None:
    encoder = encoder_of(spaces.MultiDiscrete([20_000] * 8), "one").parts[0]
    part = torch.zeros(20, 16, 8, dtype=torch.int32)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as memory:
        encoder(part)
    largest = max(event.cpu_memory_usage for event in memory.key_averages())
    assert largest < 20 * 16 * 20_000, "bytes"


@pytest.mark.parametrize("sizes", [(4, 5, 2), (40, 30, 10, 5), (600, 3)])
def test_a_cell_is_the_sum_of_its_channels_embeddings(sizes: tuple[int, ...]) -> None:
    space = spaces.MultiDiscrete(np.full((6, 5, len(sizes)), sizes))
    encoder = encoder_of(space, "one").parts[0]
    assert isinstance(encoder, GridEncoder)
    sample = torch.from_numpy(space.sample().astype(np.int32))  # (H, W, C)
    cells = sample.flatten(0, 1)
    offsets = torch.tensor([sum(sizes[:channel]) for channel in range(len(sizes))])
    with torch.no_grad():
        found = encoder.embedded(sample.flatten()[None, None])[0, 0]
        expected = torch.relu(encoder.embedding[cells + offsets].sum(-2))
    assert torch.allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("kind", ["picture", "frames", "large picture", "large grid"])
def test_there_are_never_more_cells_than_attention_can_take(kind: str) -> None:
    assert encoder_of(KINDS[kind][0], "feature").count <= 64


# -- entities -------------------------------------------------------------------------------------


def test_rows_of_zeros_are_absent_unless_a_number_tells_presence() -> None:
    space = spaces.Box(-np.inf, np.inf, (4, 3))
    rows = torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [0.0, 5.0, 5.0], [1.0, 0.0, 0.0]]).reshape(1, 1, 12)
    for known, there in (
        ({}, [True, False, True, True]),
        ({"presence": 0}, [True, False, False, True]),
        ({"own": 1}, [True, True, True, True]),
        ({"presence": 0, "own": 1}, [True, False, False, True]),
    ):
        encoder = built(as_set(described(space), **known), "feature")
        _, present = encoder({"observation": rows})
        assert present is not None and present.tolist() == [[there]]
        second = "you" if "own" in known else "entity 2"
        assert encoder.labels == ("entity 1", second, "entity 3", "entity 4")


@pytest.mark.parametrize("attention", ["none", "self"])
def test_an_absent_entity_changes_nothing(attention: str) -> None:
    """Absent by its number of presence, whatever its other numbers are; a present one counts."""
    config = EnvConfig(id="tests/Traffic-v0", features=("presence", "x", "y", "vx", "vy"), num_envs=2)
    envs = make_vector(config)
    experiment = with_settings(
        default_experiment(config), {"net.attention": attention, "net.memory": "none", "net.width": 16}
    )
    network = build_network(envs.spaces, experiment, torch.Generator().manual_seed(2)).eval()
    observation = torch.ones(1, 1, 5, 5)
    observation[0, 0, 3, 0] = 0
    other, seen = observation.clone(), observation.clone()
    other[0, 0, 3, 1:] = 7.0
    seen[0, 0, 2, 1:] = 7.0
    values = []
    for each in (observation, other, seen):
        inputs = inputs_of(
            {"observation": each.reshape(1, 25).numpy()},
            np.zeros(1, np.int64),
            np.zeros(1, np.float32),
            torch.device("cpu"),
        )
        with torch.no_grad():
            values.append(network(inputs, None)[0])
    envs.close()
    assert torch.equal(values[0], values[1])
    assert not torch.allclose(values[0], values[2])


# -- texts ----------------------------------------------------------------------------------------


def read_texts(*texts: str) -> torch.Tensor:
    encoder = encoder_of(spaces.Text(20), "one")
    ids = torch.from_numpy(np.stack([word_ids(text) for text in texts])).reshape(len(texts), 1, -1)
    with torch.no_grad():
        tokens: torch.Tensor = encoder({"observation": ids})[0]
    return tokens.reshape(len(texts), D)


def test_words_and_their_order_count_and_nothing_is_zero() -> None:
    red, blue, reordered, nothing = read_texts("the red key", "the blue key", "key red the", "")
    assert (red - blue).abs().max() > 0.1 and (red - reordered).abs().max() > 0.1
    assert not nothing.any()


def test_a_text_that_stays_is_read_once_and_alike() -> None:
    same = read_texts("go to the key", "go to the key")
    mixed = read_texts("go to the key", "go to the key", "open the door")
    assert torch.allclose(same, mixed[:2], atol=1e-6)


# -- fusion ---------------------------------------------------------------------------------------


def test_parts_are_fused_and_their_presence_joined() -> None:
    space = spaces.Dict(
        {
            "cars": spaces.Box(-1, 1, (4, 3)),
            "map": spaces.Box(0, 255, (6, 5), np.uint8),
            "place": spaces.Discrete(4),
            "mission": spaces.Text(9, charset="ab c"),
            "speed": spaces.Box(-1, 1, (2,)),
        }
    )
    encoder, observation = built(as_set(described(space), own=3), "feature"), sampled(space)
    observation["cars"][0, 0, :3] = 0.0
    tokens, present = encoder(observation)
    assert encoder.count == 4 + 30 + 1 + 1 + 2
    names = ("cars 1", "you (cars)", "map 0,0", "map 5,4", "mission", "place", "f3", "f4")
    assert tuple(encoder.labels[place] for place in (0, 3, 4, 33, 34, 35, 36, 37)) == names
    assert (encoder.entities, encoder.cells) == ((0, 4), (4, 6, 5))
    assert encoder_of(space, "one").entities is None
    assert tokens.shape == (T, B, 38, D) and present is not None and present.shape == (T, B, 38)
    assert not present[0, 0, 0] and bool(present[0, 0, 1:].all())


@pytest.mark.parametrize("tokens", ["one", "feature"])
@pytest.mark.parametrize(
    "env", ["MiniGrid-MemoryS7-v0", "MiniGrid-DoorKey-5x5-v0", "tests/Frames-v0", "tests/Traffic-v0"]
)
def test_agents_train_on_every_kind_out_of_the_box(env: str, tokens: str) -> None:
    if env.startswith("MiniGrid"):
        pytest.importorskip("minigrid")
    usual = default_experiment(EnvConfig(id=env, num_envs=2))
    changes = {
        "net.tokens": tokens,
        "net.width": 16,
        "run.device": "cpu",
        "learn.warmup": 40,
        "learn.update_every": 8,
        "learn.window": 4,
        "learn.burn_in": 2,
        "learn.batch_size": 4,
        "learn.replay_capacity": 256,
    }
    training = Training(with_settings(usual, changes))
    training.begin()
    before = training.learner.flat.values.detach().clone()
    while training.counters.step < 64:
        training.act()
        training.learn()
    map_size = training.learner.flat.values.detach()
    training.close()
    assert math.isfinite(float(map_size.sum())) and not torch.equal(before, map_size)
