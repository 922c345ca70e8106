"""Foresight: what will be observed next, from what is remembered and what is done."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Predictor(nn.Module):
    """The next raw observation, standardised: h (T, B, D), taken (T, B) -> (T, B, F), W₂ relu(W₁ [h, action])."""

    def __init__(self, width: int, actions: int, numbers: int) -> None:
        super().__init__()
        self.actions = actions
        self.hidden = nn.Linear(width + actions, width)
        self.out = nn.Linear(width, numbers)

    def forward(self, h: Tensor, taken: Tensor) -> Tensor:
        choices = torch.arange(self.actions, device=taken.device)
        done = (taken.unsqueeze(-1) == choices).to(h.dtype)
        predicted: Tensor = self.out(torch.relu(self.hidden(torch.cat([h, done], dim=-1))))
        return predicted
