"""All parameters of a network in one contiguous vector.

The optimizer, the gradient's norm and the target network then work on one tensor. This needs a few kernels instead of
several per layer; calling them is most of an update's cost for small networks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn

ParameterLayout = Sequence[tuple[str, tuple[int, ...]]]

BETAS = (0.9, 0.999)  # the share of the mean and of the mean square that a step keeps
FUSED_ADAM = getattr(torch, "_fused_adam_", None)  # the kernel of torch.optim.Adam(fused=True)


class FlatParameters:
    """Moves a network's parameters, and their gradients, into one vector each; the network keeps views.

    Attributes:
        layout: name and shape of each parameter, in the vector's order.
    """

    def __init__(self, network: nn.Module) -> None:
        self.layout: ParameterLayout = [(name, tuple(p.shape)) for name, p in network.named_parameters()]
        parameters = list(network.parameters())
        size = sum(p.numel() for p in parameters)
        like = parameters[0]
        self.values = nn.Parameter(torch.empty(size, dtype=like.dtype, device=like.device))
        self.gradient = torch.zeros_like(self.values)
        self.values.grad = self.gradient
        position = 0
        with torch.no_grad():
            for parameter in parameters:
                piece = slice(position, position + parameter.numel())
                self.values[piece].copy_(parameter.flatten())
                parameter.data = self.values.data[piece].view_as(parameter)
                parameter.grad = self.gradient[piece].view_as(parameter)
                position += parameter.numel()

    def take_over(self, values: Tensor, layout: ParameterLayout) -> list[str]:
        """Copy the parameters that another network's vector holds under the same name and shape; returns their names.

        Raises ValueError if `values` is not as long as its layout says.
        """
        theirs = _pieces(layout)
        if sum(math.prod(shape) for _, shape in layout) != values.numel():
            raise ValueError(f"{values.numel()} values do not fit their layout")
        kept = []
        with torch.no_grad():
            for key, piece in _pieces(self.layout).items():
                if key in theirs:
                    self.values[piece].copy_(values[theirs[key]])
                    kept.append(key[0])
        return kept

    def decaying(self) -> Tensor:
        """1 where weight decay applies, else 0: it applies to matrices, not to biases, gains of norms or sizes of
        noise.
        """
        pieces = [
            torch.full((math.prod(shape),), float(len(shape) > 1 and not name.endswith(("bias", "_sigma"))))
            for name, shape in self.layout
        ]
        return torch.cat(pieces).to(self.values)

    def clear_gradient(self) -> None:
        """Set the gradient to zero in place; autograd then adds into the same memory."""
        self.gradient.zero_()

    def clip_gradient(self, largest: float) -> Tensor:
        """Scale the gradient down to the norm `largest` (0: never); returns its norm before, a 0-d tensor."""
        norm = torch.linalg.vector_norm(self.gradient)
        if largest > 0:
            if norm.device.type == "cpu":  # reading the norm costs nothing here, and mostly no clipping is needed
                if float(norm) > largest:
                    self.gradient.mul_(largest / float(norm))
            else:
                self.gradient.mul_((largest / (norm + 1e-6)).clamp(max=1.0))
        return norm


def _pieces(layout: ParameterLayout) -> dict[tuple[str, tuple[int, ...]], slice]:
    """The slice of each parameter in the vector, by its name and shape."""
    ends = list(accumulate(math.prod(shape) for _, shape in layout))
    return {key: slice(start, end) for key, start, end in zip(layout, [0, *ends], ends, strict=False)}


class FlatAdam:
    """Adam (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1) on one vector, in place.

    Torch's own optimizer spends more time on bookkeeping than on numbers when a network is small.

    Attributes:
        warmup: first steps over which the learning rate rises in a straight line, because the mean square of gradients
            is known badly at first (Liu et al. 2020, arXiv:1908.03265); 0: none.
    """

    def __init__(self, flat: FlatParameters, *, eps: float, warmup: int = 0) -> None:
        self.flat, self.eps, self.warmup = flat, eps, warmup
        self.first = torch.zeros_like(flat.gradient)
        self.second = torch.zeros_like(flat.gradient)
        self.steps = torch.zeros(())
        self.count = 0
        self._decaying: Tensor | None = None

    @property
    def warmed_up(self) -> float:
        """Share of the learning rate that the next step uses."""
        return min(1.0, (self.count + 1) / self.warmup) if self.warmup else 1.0

    def step(self, lr: float, weight_decay: float = 0.0) -> None:
        """Move the parameters along their gradient, after shrinking matrices by lr · weight_decay of themselves.

        Decoupled weight decay, Loshchilov & Hutter 2019, arXiv:1711.05101.
        """
        lr *= self.warmed_up
        self.count += 1
        if weight_decay > 0:
            if self._decaying is None:
                self._decaying = self.flat.decaying()
            values = self.flat.values.data
            values.addcmul_(values, self._decaying, value=-lr * weight_decay)
        if FUSED_ADAM is not None and self.first.device.type == "cpu":
            self._fused_step(lr)
            return
        keep_first, keep_second = BETAS
        gradient = self.flat.gradient
        self.first.lerp_(gradient, 1 - keep_first)
        self.second.mul_(keep_second).addcmul_(gradient, gradient, value=1 - keep_second)
        # Both bias corrections moved into the step size and ε: m̂ / (√v̂ + ε) = (√c₂ / c₁) · m / (√v + ε√c₂).
        root = (1 - keep_second**self.count) ** 0.5
        size = self.second.sqrt().add_(self.eps * root)
        self.flat.values.data.addcdiv_(self.first, size, value=-lr * root / (1 - keep_first**self.count))

    def _fused_step(self, lr: float) -> None:
        """The same step by torch's fused kernel, without its optimizer class."""
        assert FUSED_ADAM is not None
        self.steps.fill_(self.count)
        FUSED_ADAM(
            [self.flat.values.data],
            [self.flat.gradient],
            [self.first],
            [self.second],
            [],
            [self.steps],
            lr=lr,
            beta1=BETAS[0],
            beta2=BETAS[1],
            weight_decay=0.0,
            eps=self.eps,
            amsgrad=False,
            maximize=False,
        )

    def arrays(self) -> dict[str, Tensor]:
        """Everything that `restore` needs, by name."""
        return {"first": self.first, "second": self.second, "count": torch.tensor(self.count)}

    def restore(self, arrays: Mapping[str, Any]) -> None:
        """Take over what `arrays` gave."""
        self.first.copy_(torch.as_tensor(arrays["first"]))
        self.second.copy_(torch.as_tensor(arrays["second"]))
        self.count = int(arrays["count"])
