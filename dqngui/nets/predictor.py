"""Prediction of the next observation from the memory's output and the action."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dqngui.nets.choices import OneChoice


class Predictor(nn.Module):
    """Predicts the next raw observation, standardised: W₂ relu(W₁ [h, action]).

    h (T, B, D), action (T, B) -> (T, B, F).
    """

    def __init__(self, width: int, reading: OneChoice, numbers: int) -> None:
        super().__init__()
        self.reading = reading
        self.hidden = nn.Linear(width + reading.options, width)
        self.out = nn.Linear(width, numbers)

    def forward(self, h: Tensor, action: Tensor) -> Tensor:
        one_hot = self.reading.marked(action).to(h.dtype)
        predicted: Tensor = self.out(torch.relu(self.hidden(torch.cat([h, one_hot], dim=-1))))
        return predicted
