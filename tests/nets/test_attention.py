"""Attentions: absent tokens, and comparison with plain formulas."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from dqngui import catalog
from dqngui.nets.attention.action import ActionAttention
from dqngui.nets.attention.contract import Attention
from dqngui.nets.attention.ego import EgoAttention
from dqngui.nets.attention.pool import FEW, Pool
from dqngui.nets.attention.pooling import PoolAttention
from dqngui.nets.initialise import build
from dqngui.nets.record import Record

T, B, D, A = 3, 4, 16, 3
OPTIONS: dict[str, dict[str, Any]] = {"self": {"layers": 2, "widening": 2}}
CLOSE = {"atol": 1e-9, "rtol": 0.0}
NAMES = sorted(catalog.ATTENTIONS)


def make(name: str, tokens: int) -> Attention:
    entry = catalog.ATTENTIONS[name]
    options = entry.options(**OPTIONS.get(name, {}))
    attention: Attention = build(
        lambda: catalog.load(entry)(width=D, tokens=tokens, actions=A, options=options),
        torch.Generator().manual_seed(3),
    )
    return attention.double()


def drawn(*shape: int, seed: int = 5) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def answer(
    attention: Attention, tokens: Tensor, present: Tensor | None, record: Record | None = None
) -> tuple[Tensor, Tensor | None]:
    """x and z; one that asks the memory is asked by the same question at every step."""
    query = drawn(B, D, seed=6) if attention.queries_memory else None
    with torch.no_grad():
        if query is None:
            return attention(tokens, present, None, record)
        steps = [
            attention(tokens[t : t + 1], None if present is None else present[t : t + 1], query, record)
            for t in range(len(tokens))
        ]
    return torch.cat([x for x, _ in steps]), None


def some_present(tokens: int) -> Tensor:
    """Two tokens of each step, others at other steps."""
    present = torch.zeros(T, B, tokens, dtype=torch.bool)
    first = torch.arange(T * B).view(T, B) % tokens
    return present.scatter(-1, torch.stack([first, (first + 2) % tokens], -1), True)


@pytest.mark.parametrize("tokens", [3, 5, FEW + 3])
@pytest.mark.parametrize("name", NAMES)
def test_the_content_of_absent_tokens_does_not_matter(name: str, tokens: int) -> None:
    attention, content, present = make(name, tokens), drawn(T, B, tokens, D), some_present(tokens)
    other = torch.where(present.unsqueeze(-1), content, torch.nan)
    for a, b in zip(answer(attention, content, present), answer(attention, other, present), strict=True):
        assert (a is None and b is None) or (a is not None and b is not None and torch.allclose(a, b, **CLOSE))


@pytest.mark.parametrize("tokens", [3, 5, FEW + 3])
@pytest.mark.parametrize("name", [name for name in NAMES if name != "none"])
def test_absent_tokens_are_as_if_they_were_not_there(name: str, tokens: int) -> None:
    attention, content, present = make(name, tokens), drawn(T, B, tokens, D), some_present(tokens)
    fewer = content[present].view(T, B, 2, D)
    for a, b in zip(answer(attention, content, present), answer(attention, fewer, None), strict=True):
        assert (a is None and b is None) or (a is not None and b is not None and torch.allclose(a, b, **CLOSE))


@pytest.mark.parametrize("tokens", [3, 5, FEW + 3])
@pytest.mark.parametrize("name", NAMES)
def test_steps_without_any_token_are_finite_and_alike(name: str, tokens: int) -> None:
    attention, content = make(name, tokens), drawn(T, B, tokens, D)
    for explicit in (False, True):
        record = Record() if explicit else None
        x, z = answer(attention, content, torch.zeros(T, B, tokens, dtype=torch.bool), record)
        for out in (x, z):
            if out is not None and not attention.queries_memory:
                assert torch.isfinite(out).all() and torch.allclose(out, out[:1, :1].expand_as(out), **CLOSE)
        assert torch.isfinite(x).all()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "none"])
def test_recorded_weights_of_a_mask(name: str) -> None:
    tokens, record = 5, Record()
    attention, content, present = make(name, tokens), drawn(1, B, tokens, D), some_present(tokens)[:1]
    plain, _ = answer(attention, content, present)
    recorded, _ = answer(attention, content, present, record)
    assert torch.allclose(plain, recorded, **CLOSE)
    for spec in attention.views():
        weights = record.values[spec.name]
        there = present.view(1, B, *[1] * (weights.ndim - 3), tokens).expand_as(weights)
        assert (weights[~there] == 0).all() and (weights[there] > 0).all()
        assert torch.allclose(weights.sum(-1), torch.ones(()).double(), **CLOSE)


@pytest.mark.parametrize("tokens", [2, 6])
def test_each_action_has_its_own_query(tokens: int) -> None:
    attention, content = make("action", tokens), drawn(1, B, tokens, D)
    assert isinstance(attention, ActionAttention)
    record = Record()
    _, z = answer(attention, content, None, record)
    assert z is not None and z.shape == (1, B, A, D)
    d = D // attention.heads
    with torch.no_grad():
        for b in range(B):
            y = attention.norm(content[0, b])
            asked, keys, values = attention.query(attention.embedding), attention.key(y), attention.value(y)
            for a in range(A):
                mixed = []
                for h in range(attention.heads):
                    part = slice(h * d, (h + 1) * d)
                    weights = torch.softmax(keys[:, part] @ asked[a, part] / d**0.5, 0)
                    assert torch.allclose(record.values["attention/action"][0, b, h, a], weights, **CLOSE)
                    mixed.append(weights @ values[:, part])
                expected = attention.out(torch.cat(mixed)) + attention.embedding[a]
                assert torch.allclose(z[0, b, a], expected, **CLOSE)


def test_a_single_token_suffices_for_different_action_vectors() -> None:
    _, z = answer(make("action", 1), drawn(T, B, 1, D), None)
    assert z is not None
    assert (z[:, :, 0] - z[:, :, 1]).abs().max() > 0.1


@pytest.mark.parametrize("tokens", [2, FEW, FEW + 1, 49])
def test_each_head_has_its_own_query(tokens: int) -> None:
    attention, content, record = make("pool", tokens), drawn(1, B, tokens, D), Record()
    assert isinstance(attention, PoolAttention)
    x, _ = answer(attention, content, None, record)
    pool, d = attention.pool, D // attention.pool.heads
    with torch.no_grad():
        for b in range(B):
            y = pool.norm(content[0, b])
            scores, values = pool.query(y) / d**0.5, pool.value(y)
            weights = torch.softmax(scores, 0)  # (K, H)
            mixed = [weights[:, h] @ values[:, h * d : (h + 1) * d] for h in range(pool.heads)]
            assert torch.allclose(record.values["attention/pool"][0, b], weights.T, **CLOSE)
            assert torch.allclose(x[0, b], pool.out(torch.cat(mixed)), **CLOSE)


@pytest.mark.parametrize("tokens", [3, FEW + 3])
def test_the_agents_own_token_asks_and_all_answer(tokens: int) -> None:
    """Leurent and Mercat 2019: softmax(q_own k / sqrt d) v per head, its own token among the keys, and its residual."""
    own, options = 1, catalog.ATTENTIONS["ego"].options(heads=4)
    ego = build(
        lambda: EgoAttention(width=D, tokens=tokens, actions=A, options=options, own=own),
        torch.Generator().manual_seed(3),
    ).double()
    content, record, d = drawn(1, B, tokens, D), Record(), D // 4
    x, _ = answer(ego, content, None, record)
    with torch.no_grad():
        for b in range(B):
            e = torch.relu(ego.embed(content[0, b]))
            asked, keys, values = ego.query(e[own]), ego.key(e), ego.value(e)
            mixed = []
            for h in range(4):
                part = slice(h * d, (h + 1) * d)
                weights = torch.softmax(keys[:, part] @ asked[part] / d**0.5, 0)
                assert torch.allclose(record.values["attention/ego"][0, b, h], weights, **CLOSE)
                mixed.append(weights @ values[:, part])
            expected = torch.relu(ego.decode(torch.relu(e[own] + ego.out(torch.cat(mixed)))))
            assert torch.allclose(x[0, b], expected, **CLOSE)
    others = content.clone()
    others[..., [0, 2], :] = content[..., [2, 0], :]
    exchanged = content.clone()
    exchanged[..., [0, own], :] = content[..., [own, 0], :]
    assert torch.allclose(answer(ego, others, None)[0], x, **CLOSE)
    assert (answer(ego, exchanged, None)[0] - x).abs().max() > 1e-3


@pytest.mark.parametrize("sharpness", [0.0, 1.0, 3.0])
def test_scores_start_with_the_chosen_standard_deviation(sharpness: float) -> None:
    pool = build(lambda: Pool(64, 8, sharpness=sharpness), torch.Generator().manual_seed(0))
    with torch.no_grad():
        y = pool.norm(torch.randn(2000, 64, generator=torch.Generator().manual_seed(1)))
        scores = pool.query(y) / (64 // 8) ** 0.5
    assert float(scores.std()) == pytest.approx(sharpness, rel=0.15)
