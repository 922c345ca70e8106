"""The parallel scan against the plain loop."""

from __future__ import annotations

import pytest
import torch

from dqngui.nets.memory.scan import scan


def terms(T: int, *, varying: bool, complex_: bool, spread: float = 1.0) -> tuple[torch.Tensor, ...]:
    """Factors with magnitudes in 0 … spread, inputs and an initial h."""
    generator = torch.Generator().manual_seed(T)
    dtype = torch.complex128 if complex_ else torch.float64
    b, initial = (torch.randn(*shape, dtype=dtype, generator=generator) for shape in ((T, 3, 4), (3, 4)))
    shape = (T, 3, 4) if varying else (4,)
    a = spread * torch.rand(shape, dtype=torch.float64, generator=generator)
    if complex_:
        a = torch.polar(a, 6.28 * torch.rand(shape, dtype=torch.float64, generator=generator))
    return a, b, initial


def loop(a: torch.Tensor, b: torch.Tensor, initial: torch.Tensor | None) -> torch.Tensor:
    h = torch.zeros_like(b[0]) if initial is None else initial
    rows = []
    for t in range(len(b)):
        h = (a[t] if a.ndim == b.ndim else a) * h + b[t]
        rows.append(h)
    return torch.stack(rows)


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize("T", [1, 2, 3, 8, 9, 10, 17, 18, 19, 20, 1000, 1001])
def test_equals_the_loop_with_all_gradients(T: int, varying: bool, complex_: bool, begun: bool) -> None:
    a, b, initial = terms(T, varying=varying, complex_=complex_)
    given = [a, b, initial] if begun else [a, b]
    wanted = torch.randn(b.shape, dtype=b.dtype, generator=torch.Generator().manual_seed(0))
    results = []
    for solve in (scan, loop):
        leaves = [part.clone().requires_grad_() for part in given]
        h = solve(leaves[0], leaves[1], leaves[2] if begun else None)
        (h - wanted).abs().square().sum().backward()
        slopes = [torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for leaf in leaves]
        results.append([h.detach(), *slopes])
    for mine, plain in zip(*results, strict=True):
        assert torch.allclose(mine, plain, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize("T", [2, 11])
def test_gradients_are_those_of_finite_differences(T: int, varying: bool, complex_: bool) -> None:
    given = [part.requires_grad_() for part in terms(T, varying=varying, complex_=complex_)]
    assert torch.autograd.gradcheck(scan, given)


def test_factors_of_zero_and_of_one_are_safe() -> None:
    """Schemes that divide by products of factors fail here."""
    a, b, initial = terms(1000, varying=True, complex_=False)
    a = (a > 0.5).to(torch.float64)
    assert torch.allclose(scan(a, b, initial), loop(a, b, initial), atol=1e-12)
    tiny = torch.full_like(a, 1e-200)
    assert torch.allclose(scan(tiny, b, initial), loop(tiny, b, initial), atol=1e-12)


def test_only_what_is_asked_gets_a_gradient() -> None:
    a, b, initial = terms(9, varying=True, complex_=False)
    b.requires_grad_()
    scan(a, b, initial).sum().backward()
    assert b.grad is not None and a.grad is None and initial.grad is None


def test_leaves_its_inputs_alone() -> None:
    given = terms(33, varying=True, complex_=False)
    kept = [part.clone() for part in given]
    scan(*given)
    assert all(torch.equal(a, b) for a, b in zip(given, kept, strict=True))
