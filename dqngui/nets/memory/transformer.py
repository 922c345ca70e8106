"""Causal transformer over the last steps: pre-norm, sliding window, learned relative positions."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from dqngui.catalog.memories import TransformerOptions
from dqngui.nets.memory.banded import attend
from dqngui.nets.memory.contract import Memory, State
from dqngui.nets.memory.gating import GRUGate
from dqngui.nets.noise import Dropout
from dqngui.nets.record import Record, ViewSpec, WeightChange


class Transformer(Memory):
    """A causal transformer as memory: each layer attends to the last `length` outputs of the layer below.

    Pre-norm, with residual connections or with the gates of GTrXL instead (see `GRUGate`).
    State, the key/value cache of acting: keys (B, layers, C, D), values (B, layers, C, D) with C = length − 1,
    newest last, and the number of valid steps (B,). Positions enter only as a learned bias per head and lag,
    zero at the start. Views: `memory/attention/LAYER` (head, lag), lag 0 being the present step.
    """

    relu_input = False

    def __init__(self, *, width: int, options: TransformerOptions) -> None:
        super().__init__()
        self.width, self.length = width, options.length
        self.context = options.context
        self.layers = nn.ModuleList(_TransformerLayer(width, options) for _ in range(options.layers))
        self.norm = nn.LayerNorm(width)

    def initial_state(self, batch: int) -> State:
        shape = (batch, len(self.layers), self.length - 1, self.width)
        cache = self.norm.weight.new_zeros(shape)
        return cache, cache.clone(), torch.zeros(batch, dtype=torch.int64, device=cache.device)

    def views(self) -> tuple[ViewSpec, ...]:
        names = (f"memory/attention/{index}" for index in range(len(self.layers)))
        return tuple(ViewSpec(name, ("head", "lag"), weights=True) for name in names)

    def forward(self, x: Tensor, state: State | None, record: Record | None = None) -> tuple[Tensor, State]:
        T, B, _ = x.shape
        room = self.length - 1
        if state is None:
            caches, empty = [], None
            count = torch.full((B,), min(T, room), dtype=torch.int64, device=x.device)
        else:
            # One copy with room for the new steps of all layers, which is also the next state.
            caches = [F.pad(cache, (0, 0, 0, T)) for cache in state[:2]]
            empty = torch.arange(room, device=x.device) < (room - state[2]).unsqueeze(1)  # (B, C)
            count = (state[2] + T).clamp(max=room)
        kept: list[tuple[Tensor, Tensor]] = []
        y = x.transpose(0, 1)  # (B, T, D)
        for index, layer in enumerate(self.layers):
            past = [cache[:, index] for cache in caches]
            change = None if record is None else partial(self._changed, record, f"memory/attention/{index}")
            y, keys, values, weights = layer(y, past, empty, change)
            kept.append((keys, values))
            if record is not None and weights is not None:
                record.add(f"memory/attention/{index}", self._by_lag(weights))
        y = self.norm(y).transpose(0, 1)
        if caches and not torch.is_grad_enabled():
            return y, (caches[0][:, :, T:], caches[1][:, :, T:], count)
        return y, (*(self._newest(list(rows)) for rows in zip(*kept, strict=True)), count)

    def _newest(self, layers: list[Tensor]) -> Tensor:
        """The newest C steps of all layers, (B, S, D) each -> (B, layers, C, D), padded at the start if fewer exist."""
        room = self.length - 1
        newest = torch.stack([rows[:, max(0, rows.shape[1] - room) :] for rows in layers], dim=1)
        return F.pad(newest, (0, 0, room - newest.shape[2], 0))

    def _by_lag(self, weights: Tensor) -> Tensor:
        """Weights (B, H, T, S) over keys -> (T, B, H, length) over lags; a lag before the first key has weight 0."""
        padded = F.pad(weights, (1, 0))  # position −1 reads the added zero
        return padded.gather(-1, self._places(weights)).permute(2, 0, 1, 3)

    def _places(self, weights: Tensor) -> Tensor:
        """Index of each lag's key in weights (B, H, T, S) after a first column that stands for no key."""
        T, S = weights.shape[2:]
        own = torch.arange(S - T, S, device=weights.device).unsqueeze(1)
        position = (own - torch.arange(self.length, device=weights.device)).clamp(min=-1)  # key of each lag
        return (position + 1).expand(*weights.shape[:2], T, self.length)

    def _changed(self, record: Record, name: str, weights: Tensor) -> Tensor:
        """The weights (B, H, T, S) to use, after the record has changed them by lag."""
        if name not in record.changes:
            return weights
        T = weights.shape[2]
        by_lag = record.changed(name, self._by_lag(weights).flatten(0, 1)).unflatten(0, (T, -1))
        padded = F.pad(torch.zeros_like(weights), (1, 0))
        return padded.scatter(-1, self._places(weights), by_lag.permute(1, 2, 0, 3))[..., 1:]


class _TransformerLayer(nn.Module):
    """x + attention(norm(x)), then x + feed-forward(norm(x)), over time; a gate may replace each sum."""

    def __init__(self, width: int, options: TransformerOptions) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.lag_bias = nn.Parameter(torch.empty(options.heads, options.length))
        self.out = nn.Linear(width, width)
        self.norm_forward = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)
        gated = options.gate == "gru"
        self.gate_attention = GRUGate(width) if gated else None
        self.gate_forward = GRUGate(width) if gated else None
        self.dropout = Dropout(options.dropout) if options.dropout else None

    def initialise(self, generator: Generator) -> None:
        nn.init.zeros_(self.lag_bias)

    def forward(
        self, x: Tensor, past: list[Tensor], empty: Tensor | None, change: WeightChange | None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        """Maps x (B, T, D) to y, keys, values and weights; `past` are keys and values (B, C + T, D) with room for the
        new ones.

        Without a past (state None) keys and values are only the new ones. Without gradients the room is filled in
        place. Weights (B, H, T, S) are returned if a `change` is given.
        """
        q, k, v = self.query_key_value(self.norm_attention(x)).chunk(3, dim=-1)
        if past:
            k, v = (_filled(room, new) for room, new in zip(past, (k, v), strict=True))
        mixed, weights = attend(q, k, v, self.lag_bias, empty, change is not None, change)
        x = self._joined(x, self.out(mixed), self.gate_attention)
        x = self._joined(x, self.narrow(F.gelu(self.widen(self.norm_forward(x)))), self.gate_forward)
        return x, k, v, weights

    def _joined(self, x: Tensor, answer: Tensor, gate: GRUGate | None) -> Tensor:
        if self.dropout is not None:
            answer = self.dropout(answer)
        return x + answer if gate is None else gate(x, answer)


def _filled(room: Tensor, new: Tensor) -> Tensor:
    """(B, C + T, D) with `new` (B, T, D) at its end."""
    T = new.shape[1]
    if torch.is_grad_enabled():
        return torch.cat([room[:, :-T], new], dim=1)
    room[:, -T:] = new
    return room
