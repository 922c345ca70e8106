"""Gates that replace the residual connections of a transformer."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn


class GRUGate(nn.Module):
    """A GRU gate (1 − z) ⊙ x + z ⊙ h̃: z says how much of a layer's output y enters the stream x, (…, D) each.

    r = σ(W_r y + U_r x), z = σ(W_z y + U_z x − b), h̃ = tanh(W y + U (r ⊙ x)) with y = ReLU(answer): GTrXL, Parisotto
    et al. 2020, arXiv:1910.06764, sections 3.1 and 3.2. With b = 2 the layer starts close to the identity.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.answer = nn.Linear(width, 3 * width)
        self.stream = nn.Linear(width, 2 * width, bias=False)
        self.reset = nn.Linear(width, width, bias=False)

    def initialise(self, generator: Generator) -> None:
        """Initialise after the layers; the update gate's bias is in the second third of `answer.bias`."""
        with torch.no_grad():
            reset, update, new = self.answer.bias.chunk(3)
            reset.zero_()
            update.fill_(-2.0)
            new.zero_()

    def forward(self, x: Tensor, answer: Tensor) -> Tensor:
        r_y, z_y, h_y = self.answer(torch.relu(answer)).chunk(3, dim=-1)
        r_x, z_x = self.stream(x).chunk(2, dim=-1)
        z = torch.sigmoid(z_y + z_x)
        h = torch.tanh(h_y + self.reset(torch.sigmoid(r_y + r_x) * x))
        return torch.lerp(x, h, z)
