"""All parameters of a network in one contiguous vector.

The optimizer, the gradient's norm and the target network then work on one tensor. This needs a few kernels instead of
several per layer; calling them is most of an update's cost for small networks.

On a GPU the parameters of a torch LSTM or GRU come first, its matrices of all layers before its biases. Only so cuDNN
reads them where they lie: pytorch looks for them at the start of the memory that they share, in cuDNN's order
(`try_get_weight_buf` in pytorch's aten/src/ATen/native/cudnn/RNN.cpp), and else copies all of them at each call. On a
CPU the order is the network's own. Saved vectors come with their layout, and `in_layout` brings them into another.
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


VECTORS = ("online", "target", "average", "adam.first", "adam.second")
"""Names of the vectors of parameters, or of one number for each parameter, in a learner's saved arrays."""


class FlatParameters:
    """Moves a network's parameters, and their gradients, into one vector each; the network keeps views.

    Args:
        recurrent_first: the parameters of an LSTM or GRU come first, in cuDNN's order; None: only on CUDA.

    Attributes:
        layout: name and shape of each parameter, in the vector's order.
        own_layout: the same in the network's own order, that of vectors that were saved without a layout.
        reads_norm: the gradient's norm is read to see whether it must be clipped; on other devices than the CPU that
            would wait for all that is still computed.
    """

    def __init__(self, network: nn.Module, *, recurrent_first: bool | None = None) -> None:
        named = dict(network.named_parameters())
        self.own_layout = _layout(named)
        like = next(iter(named.values()))
        if recurrent_first is None:
            recurrent_first = like.device.type == "cuda"
        if recurrent_first:
            named = {name: named[name] for name in _recurrent_first(network)}
        self.layout = _layout(named)
        self.reads_norm = like.device.type == "cpu"
        parameters = list(named.values())
        size = sum(p.numel() for p in parameters)
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
            if self.reads_norm:  # it costs nothing here, and mostly no clipping is needed
                if float(norm) > largest:
                    self.gradient.mul_(largest / float(norm))
            else:
                self.gradient.mul_((largest / (norm + 1e-6)).clamp(max=1.0))
        return norm


def in_layout(arrays: Mapping[str, Any], theirs: ParameterLayout | None, flat: FlatParameters) -> dict[str, Any]:
    """A learner's saved arrays with their vectors in the order of `flat`.

    Args:
        theirs: the layout that was saved with them; None: the network's own order.

    Raises ValueError if they are of another network.
    """
    theirs = [(name, tuple(shape)) for name, shape in (flat.own_layout if theirs is None else theirs)]
    if theirs == list(flat.layout):
        return dict(arrays)
    pieces = _pieces(theirs)
    size = flat.values.numel()
    if pieces.keys() != _pieces(flat.layout).keys():
        raise ValueError("the saved parameters are those of another network")
    moved = dict(arrays)
    for name in set(VECTORS) & arrays.keys():
        vector = torch.as_tensor(arrays[name])
        if vector.numel() != size:
            raise ValueError(f"{vector.numel()} values do not fit their layout")
        moved[name] = torch.cat([vector[pieces[key]] for key in flat.layout])
    return moved


def _layout(named: Mapping[str, Tensor]) -> ParameterLayout:
    return [(name, tuple(parameter.shape)) for name, parameter in named.items()]


def _recurrent_first(network: nn.Module) -> list[str]:
    """Names of all parameters: of the first LSTM or GRU its matrices and then its biases, layer by layer, then all
    others.

    Only one module can lie at the start of the vector.
    """
    first: list[str] = []
    for prefix, module in network.named_modules():
        if isinstance(module, (nn.LSTM, nn.GRU)):
            names = [name for name, _ in module.named_parameters(prefix)]
            biases = [name for name in names if ".bias_" in f".{name}"]
            first = [name for name in names if name not in biases] + biases
            break
    return first + [name for name, _ in network.named_parameters() if name not in first]


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
