"""Building networks from an explicit random generator, so that building one never disturbs a run.

Modules are made on the meta device (which draws no random numbers), moved to empty memory, and then filled here with
torch's usual distributions. A module with parameters of its own has a method `initialise(generator)`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Generator, Tensor, nn

M = TypeVar("M", bound=nn.Module)


def build(make: Callable[[], M], generator: Generator) -> M:
    """Make a module on the CPU with parameters drawn from `generator` only."""
    with torch.device("meta"):
        module = make()
    # As `to_empty` does it, whose `empty_like` imports sympy for a meta tensor: half a second at every start.
    module = module._apply(lambda tensor: torch.empty(tensor.shape, dtype=tensor.dtype, device="cpu"))
    fill(module, generator)
    return module


def fill(module: nn.Module, generator: Generator) -> None:
    """Draw every parameter of a module anew. Raises TypeError for a module with parameters and no known
    distribution.
    """
    for child in module.children():
        fill(child, generator)
    own = getattr(module, "initialise", None)
    if own is not None:
        own(generator)
    elif isinstance(module, nn.Linear):
        _uniform(module, module.in_features, generator)
    elif isinstance(module, (nn.LSTM, nn.GRU)):
        _uniform(module, module.hidden_size, generator)
    elif isinstance(module, nn.Conv2d):
        _uniform(module, module.weight[0].numel(), generator)
    elif isinstance(module, nn.LayerNorm):
        nn.init.ones_(module.weight)
        nn.init.zeros_(module.bias)
    elif next(module.parameters(recurse=False), None) is not None:
        raise TypeError(f"{type(module).__name__} has parameters and no initialise(generator)")


def _uniform(module: nn.Module, fan: int, generator: Generator) -> None:
    bound = 1 / math.sqrt(fan)
    for parameter in module.parameters(recurse=False):
        nn.init.uniform_(parameter, -bound, bound, generator=generator)


def chrono_bias(width: int, horizon: int, generator: Generator) -> Tensor:
    """Gate biases log U(1, horizon), (width,): the gates' forgetting times are spread up to the horizon.

    Chrono initialisation, Tallec & Ollivier 2018, arXiv:1804.11188.
    """
    return torch.empty(width).uniform_(1, horizon, generator=generator).log()
