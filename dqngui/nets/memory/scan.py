"""Parallel scan of linear recurrences h_t = a_t · h_{t−1} + b_t; the work grows linearly with the number of steps.

Odd-even reduction (Blelloch 1990, "Prefix sums and their applications"): two steps are joined into one, the recurrence
over the joined ones is solved in the same way, and the steps between follow from their neighbours. That makes log₂ T
levels of a few operations over whole tensors. There is no division, so small factors are safe.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

_FEW = 8
"""Up to this number of steps a loop is faster."""


def scan(a: Tensor, b: Tensor, initial: Tensor | None = None) -> Tensor:
    """All h_t = a_t · h_{t−1} + b_t, elementwise, real or complex: b (T, B, D) -> h (T, B, D).

    Args:
        a: (T, B, D), or (D,) for factors that do not change over time, which costs about half.
        initial: h before the first step, (B, D); None means zero.
    """
    if len(b) == 1:
        return b if initial is None else _advance(b, a, initial)
    h: Tensor = _Scan.apply(a, b, initial)
    return h


def _advance(b: Tensor, a: Tensor, h: Tensor, out: Tensor | None = None) -> Tensor:
    """b + a · h, in `out` if given. On MPS complex numbers can be multiplied and added, but not in one operation."""
    if b.device.type == "mps" and b.is_complex():
        whole = b + a * h
        return whole if out is None else out.copy_(whole)
    return torch.addcmul(b, a, h, out=out) if out is not None else torch.addcmul(b, a, h)


class _Scan(torch.autograd.Function):
    """The scan with its gradient, which is a recurrence backwards in time: g_t = grad_t + a*_{t+1} · g_{t+1}."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, initial: Tensor | None) -> Tensor:
        h = torch.empty_like(b)
        before = None if initial is None else (a[0] if a.ndim == b.ndim else a) * initial
        _solve(_links(a, b), b, h, before, reverse=False)
        ctx.save_for_backward(a, h, initial)
        return h

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor, Tensor | None]:
        a, h, initial = ctx.saved_tensors
        wants_a, _, wants_initial = ctx.needs_input_grad
        varying = a.ndim == h.ndim
        if a.is_complex():
            a = a.conj().resolve_conj()
        g = torch.empty_like(h)
        _solve(_links(a, h), grad, g, None, reverse=True)
        grad_initial = (a[0] if varying else a) * g[0] if wants_initial else None
        return (_factors(g, h, initial, varying) if wants_a else None), g, grad_initial


def _factors(g: Tensor, h: Tensor, initial: Tensor | None, varying: bool) -> Tensor:
    """Gradient of a: g_t · h*_{t−1}, summed over time and batch where a does not change."""
    if h.is_complex():
        h, initial = h.conj(), None if initial is None else initial.conj()
    if varying:
        out = torch.empty_like(g)
        torch.mul(g[1:], h[:-1], out=out[1:])
        out[0] = 0.0 if initial is None else g[0] * initial
        return out
    product = g[1:] * h[:-1]
    if product.is_complex():
        total = torch.view_as_complex(torch.view_as_real(product).sum((0, 1)))
    else:
        total = product.sum((0, 1))
    return total if initial is None else total + (g[0] * initial).sum(0)


def _links(a: Tensor, b: Tensor) -> Tensor:
    """Factors between neighbouring steps: (T − 1, B, D), or (B, D) for all steps."""
    return a[1:] if a.ndim == b.ndim else a.expand(b.shape[1:]).contiguous()  # not broadcast at every level


def _solve(links: Tensor, b: Tensor, h: Tensor, before: Tensor | None, *, reverse: bool) -> None:
    """Write the recurrence over b, with the first term b[0] + before, into h (n, B, D); reverse: from the last step."""
    n = len(b)
    if n <= _FEW:
        _step(links, b, h, before, reverse)
        return
    constant = links.ndim < b.ndim

    def link(first: int, stop: int) -> Tensor:
        return links if constant else links[first:stop:2]

    # `joined` steps each follow from the step `under`; the steps between (`rest`) each from the joined step `previous`.
    if reverse:
        s = n % 2
        joined, under, rest, previous = (
            slice(s, n - 1, 2),
            slice(s + 1, n, 2),
            slice(1 - s, n - 2, 2),
            slice(2 - s, n - 1, 2),
        )
        first = n - 1
        into_joined, into_rest = link(s, n - 1), link(1 - s, n - 2)
        further = links * links if constant else links[s : n - 3 : 2] * links[s + 1 : n - 2 : 2]
    else:
        joined, under, rest, previous = slice(1, n, 2), slice(0, n - 1, 2), slice(2, n, 2), slice(1, n - 1, 2)
        first = 0
        into_joined, into_rest = link(0, n - 1), link(1, n - 1)
        further = links * links if constant else links[1 : n - 2 : 2] * links[2 : n - 1 : 2]
    shorter = _advance(b[joined], into_joined, b[under])
    if before is None:
        h[first] = b[first]
    else:
        torch.add(b[first], before, out=h[first])
        shorter[0].add_((links if constant else links[0]) * before)
    _solve(further, shorter, h[joined], None, reverse=reverse)
    _advance(b[rest], into_rest, h[previous], h[rest])


def _step(links: Tensor, b: Tensor, h: Tensor, before: Tensor | None, reverse: bool) -> None:
    """The same as `_solve`, in a loop over the steps."""
    given, out = b.unbind(), h.unbind()
    factors = (links,) * (len(given) - 1) if links.ndim < b.ndim else links.unbind()
    if reverse:
        given, out, factors = given[::-1], out[::-1], factors[::-1]
    if before is None:
        out[0].copy_(given[0])
    else:
        torch.add(given[0], before, out=out[0])
    for t, factor in enumerate(factors):
        _advance(given[t + 1], factor, out[t], out[t + 1])
