"""Causal transformer over the last steps: pre-norm, sliding window, learned relative positions."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from dqngui.catalog import TransformerOptions
from dqngui.nets.memory.contract import Memory, State
from dqngui.nets.record import Record, ViewSpec


class Transformer(Memory):
    """Each layer attends to the last `length` outputs of the layer below.

    State, the key/value cache of acting: keys (B, layers, C, D), values (B, layers, C, D) with C = length − 1,
    newest last, and the number of valid steps (B,). Positions enter only as a learned bias per head and lag,
    zero at the start. Views: `memory/attention/LAYER` (head, lag), lag 0 being the present step.
    """

    wants_relu = False

    def __init__(self, *, width: int, options: TransformerOptions) -> None:
        super().__init__()
        self.width, self.length = width, options.length
        self.context = options.context
        self.layers = nn.ModuleList(_Layer(width, options.heads, options.length) for _ in range(options.layers))
        self.norm = nn.LayerNorm(width)

    def initial_state(self, batch: int) -> State:
        shape = (batch, len(self.layers), self.length - 1, self.width)
        cache = self.norm.weight.new_zeros(shape)
        return cache, cache.clone(), torch.zeros(batch, dtype=torch.int64, device=cache.device)

    def views(self) -> tuple[ViewSpec, ...]:
        return tuple(ViewSpec(f"memory/attention/{index}", ("head", "lag")) for index in range(len(self.layers)))

    def forward(self, x: Tensor, state: State | None, record: Record | None = None) -> tuple[Tensor, State]:
        T, B, _ = x.shape
        cached = 0 if state is None else self.length - 1
        lag = torch.arange(cached, cached + T, device=x.device).unsqueeze(1) - torch.arange(cached + T, device=x.device)
        hidden = (lag < 0) | (lag >= self.length)  # (T, S): keys a query may not see
        if state is not None:
            empty = torch.arange(cached + T, device=x.device) < (cached - state[2]).unsqueeze(1)  # (B, S)
            hidden = hidden | empty.view(B, 1, 1, -1)
        keys, values = [], []
        y = x.transpose(0, 1)  # (B, T, D)
        for index, layer in enumerate(self.layers):
            past = None if state is None else (state[0][:, index], state[1][:, index])
            y, k, v, weights = layer(y, past, lag, hidden, record is not None)
            keys.append(k)
            values.append(v)
            if record is not None and weights is not None:
                record.add(f"memory/attention/{index}", self._by_lag(weights, lag))
        seen = torch.zeros(B, dtype=torch.int64, device=x.device) if state is None else state[2]
        count = (seen + T).clamp(max=self.length - 1)
        return self.norm(y).transpose(0, 1), (self._newest(keys), self._newest(values), count)

    def _newest(self, layers: list[Tensor]) -> Tensor:
        """(B, S, D) a layer -> (B, layers, C, D), padded in front where fewer steps exist."""
        stacked = torch.stack(layers, dim=1)
        room = self.length - 1
        missing = room - stacked.shape[2]
        if missing > 0:
            return F.pad(stacked, (0, 0, missing, 0))
        return stacked[:, :, stacked.shape[2] - room :]

    def _by_lag(self, weights: Tensor, lag: Tensor) -> Tensor:
        """(B, H, T, S) over keys -> (T, B, H, length) over lags."""
        T = len(lag)
        position = (lag[:, :1] - torch.arange(self.length, device=lag.device)).clamp(min=-1)  # key of each lag
        padded = F.pad(weights, (1, 0))  # position −1 reads the zero in front
        index = (position + 1).expand(*weights.shape[:2], T, self.length)
        return padded.gather(-1, index).permute(2, 0, 1, 3)


class _Layer(nn.Module):
    """x + attention(norm(x)), then x + feed-forward(norm(x)), over time."""

    def __init__(self, width: int, heads: int, length: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.lag_bias = nn.Parameter(torch.empty(heads, length))
        self.out = nn.Linear(width, width)
        self.norm_forward = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)

    def initialise(self, generator: Generator) -> None:
        nn.init.zeros_(self.lag_bias)

    def forward(
        self, x: Tensor, past: tuple[Tensor, Tensor] | None, lag: Tensor, hidden: Tensor, explicit: bool
    ) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        """x (B, T, D), past keys and values (B, C, D), lag (T, S) -> y, keys, values (B, S, D), weights."""
        q, k, v = self.query_key_value(self.norm_attention(x)).chunk(3, dim=-1)
        if past is not None:
            k, v = torch.cat([past[0], k], dim=1), torch.cat([past[1], v], dim=1)
        bias = self.lag_bias[:, lag.clamp(0, self.lag_bias.shape[1] - 1)]  # (H, T, S)
        bias = bias.masked_fill(hidden, -math.inf)  # (H, T, S) or (B, H, T, S)
        q_h, k_h, v_h = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (q, k, v))  # (B, H, ·, D/H)
        weights = None
        if explicit:
            score = q_h @ k_h.transpose(-1, -2) / math.sqrt(q_h.shape[-1])
            weights = torch.softmax(score + bias, dim=-1)
            mixed = weights @ v_h
        else:
            mixed = F.scaled_dot_product_attention(q_h, k_h, v_h, attn_mask=bias)
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        return x + self.narrow(F.gelu(self.widen(self.norm_forward(x)))), k, v, weights
