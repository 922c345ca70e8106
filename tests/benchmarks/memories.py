"""Measures how each memory's time grows with the window, the time of a step when acting, and each module's update.

    python -m tests.benchmarks.memories [--quick] [--repeats 7]

Time against T: forward and backward pass over T steps from a given state; 32 episodes, width 64, one torch thread,
default options. For comparison there is an LSTM as a loop of torch operations over the steps, with the arithmetic of
`nn.LSTM`: it shows the cost of a recurrence without fused kernels. How much faster the LRU's scan is depends on the
batch, because with a large batch the overhead of the loop is a smaller share. Acting: one step of 16 environments after
1,000 steps, compared with one at an episode's start. Updates: see `module_updates`.

Measurements that are compared are interleaved; figures are medians. They are written to
`assets/benchmarks/memories.json`, the curves to `memories-dark.png` and `memories-light.png` in the same folder.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dqngui import catalog
from dqngui.nets.initialise import build
from dqngui.nets.memory.contract import Memory, State
from tests.benchmarks import curves, module_updates
from tests.benchmarks.module_updates import milliseconds

LENGTHS = (10, 30, 100, 300, 1_000)
BATCH, WIDTH, ACTORS, SEEN = 32, 64, 16, 4
BATCHES = (1, 8, 32)
MAX_QUICK_MS = 1_500.0
"""With --quick, a memory that takes longer than this at one length is not measured at the next."""
LOOP = "LSTM, plain loop"

Run = Callable[[Tensor], Tensor]


def make(name: str) -> Memory:
    """Build a memory of the catalog with its default options."""
    entry = catalog.MEMORIES[name]
    kind = catalog.load(entry)
    observed = {"observation": SEEN} if kind.sees_observation else {}
    generator = torch.Generator().manual_seed(0)
    memory: Memory = build(lambda: kind(width=WIDTH, options=entry.options(), **observed), generator)
    return memory


def inputs(memory: Memory | None, steps: int, batch: int = BATCH) -> Tensor:
    """Random x (T, B, D); for memories that see the observation, it is appended to D."""
    size = WIDTH + (SEEN if memory is not None and memory.sees_observation else 0)
    return torch.randn(steps, batch, size, generator=torch.Generator().manual_seed(1))


def plain_loop(core: torch.nn.LSTM, x: Tensor) -> Tensor:
    """Compute the same as `core`, with a loop of torch operations over the steps."""
    weight_in, weight_back, bias_in, bias_back = core.parameters()
    hidden = cell = x.new_zeros(x.shape[1], WIDTH)
    rows = []
    for step in x:
        i, f, g, o = (F.linear(step, weight_in, bias_in) + F.linear(hidden, weight_back, bias_back)).chunk(4, -1)
        cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
        hidden = o.sigmoid() * cell.tanh()
        rows.append(hidden)
    return torch.stack(rows)


def runners() -> dict[str, tuple[Memory | None, Run]]:
    """The memories to time and how to run them, by name in the table."""

    def of(memory: Memory) -> Run:
        state = memory.initial_state(BATCH)
        return lambda x: memory(x, state)[0]

    core = torch.nn.LSTM(WIDTH, WIDTH)
    found: dict[str, tuple[Memory | None, Run]] = {LOOP: (None, lambda x: plain_loop(core, x))}
    for name, entry in catalog.MEMORIES.items():
        if name != "none":
            memory = make(name)
            found[entry.label or name] = (memory, of(memory))
    return found


def against_length(repeats: int, quick: bool) -> dict[str, dict[int, float]]:
    """Median ms of forward and backward pass, by name and T."""
    everything = runners()
    found: dict[str, dict[int, float]] = {name: {} for name in everything}
    for length in LENGTHS:
        tasks = {}
        for name, (memory, run) in everything.items():
            if not quick or not found[name] or max(found[name].values()) < MAX_QUICK_MS:
                tasks[name] = _pass(run, inputs(memory, length).requires_grad_())
        counts = {name: max(1, min(30, int(60 / milliseconds(task, 1)))) for name, task in tasks.items()}
        rounds = [{name: milliseconds(task, counts[name]) for name, task in tasks.items()} for _ in range(repeats)]
        for name in tasks:
            found[name][length] = median(figures[name] for figures in rounds)
        print(f"T = {length}: " + ", ".join(f"{name} {found[name][length]:.2f}" for name in tasks), flush=True)
    return found


def faster_than_loop(repeats: int, length: int = 1_000) -> dict[int, float]:
    """How many times faster the LRU is than the plain loop, by batch size: medians of paired ratios."""
    core, memory = torch.nn.LSTM(WIDTH, WIDTH), make("lru")
    found = {}
    for batch in BATCHES:
        state = memory.initial_state(batch)
        x = inputs(memory, length, batch).requires_grad_()
        loop, scan = _pass(lambda x: plain_loop(core, x), x), _pass(lambda x, state=state: memory(x, state)[0], x)
        pairs = [(milliseconds(loop, 2), milliseconds(scan, 5)) for _ in range(repeats)]
        found[batch] = median(slow / fast for slow, fast in pairs)
    return found


def _pass(run: Run, x: Tensor) -> Callable[[], None]:
    return lambda: run(x).sum().backward()  # type: ignore[no-untyped-call]


def acting(repeats: int) -> dict[str, dict[str, float]]:
    """Median time in ms of one step late in an episode and at its start, and the median of their paired ratios."""
    found = {}
    for name in catalog.MEMORIES:
        memory = make(name)
        with torch.no_grad():
            start = memory.initial_state(ACTORS)
            _, late = memory(inputs(memory, 1_000, ACTORS), start)
        x = inputs(memory, 1, ACTORS)
        pairs = [(_step(memory, x, late), _step(memory, x, start)) for _ in range(repeats)]
        found[name] = {
            "late_ms": median(a for a, _ in pairs),
            "start_ms": median(b for _, b in pairs),
            "ratio": median(a / b for a, b in pairs),
        }
    return found


def _step(memory: Memory, x: Tensor, state: State) -> float:
    with torch.inference_mode():
        return milliseconds(lambda: memory(x, state) and None, 100)


def growth(times: dict[int, float]) -> float:
    """Slope of log time over log T from T = 100 on: 1 is linear."""
    long = {length: time for length, time in times.items() if length >= 100}
    if len(long) < 2:
        return float("nan")
    x, y = (torch.tensor(list(part), dtype=torch.float64).log() for part in (long.keys(), long.values()))
    return float(((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum())


def table(rows: Sequence[tuple[str, dict[int, float]]]) -> None:
    print(f"Forward and backward pass over T steps, {BATCH} episodes, width {WIDTH} (ms)")
    print(f"  {'':<20}" + "".join(f"{length:>10,}" for length in LENGTHS) + "    exponent of T")
    for name, times in rows:
        cells = "".join(f"{times[length]:>10.2f}" if length in times else f"{'':>10}" for length in LENGTHS)
        print(f"  {name:<20}{cells}{growth(times):>12.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="three rounds; slow memories skip the longest windows")
    parser.add_argument("--out", type=Path, default=Path("assets/benchmarks/memories.json"))
    given = parser.parse_args()
    repeats = 3 if given.quick else given.repeats
    torch.set_num_threads(1)
    times = against_length(repeats, given.quick)
    table(list(times.items()))
    ratios = faster_than_loop(repeats)
    by_batch = ", ".join(f"{ratio:.1f} times with {batch}" for batch, ratio in ratios.items())
    print(f"At T = 1,000 the LRU is faster than the LSTM's plain loop: {by_batch} episodes at once")
    print(f"One step of {ACTORS} environments, late in an episode and at its start (ms)")
    steps = acting(repeats)
    for name, figures in steps.items():
        print(f"  {name:<20}{figures['late_ms']:>10.3f}{figures['start_ms']:>10.3f}{figures['ratio']:>8.2f} times")
    updates = module_updates.measure(module_updates.names(), repeats)
    result: dict[str, Any] = {"times_ms": times, "lru_faster_than_loop": ratios, "acting": steps, "updates": updates}
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(result, indent=2) + "\n")
    curves.draw(
        {name: list(found.items()) for name, found in times.items()},
        title="Forward and backward pass against the window's length",
        across=f"steps T of the window ({BATCH} windows, width {WIDTH}, one thread)",
        up="milliseconds",
        path=given.out.with_suffix(".png"),
    )
    print(f"Figures: {given.out}")


if __name__ == "__main__":
    main()
