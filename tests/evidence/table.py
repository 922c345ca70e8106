"""The table of the evidence: tasks, and rows of one agent on one task, which is trained once per seed.

An agent is a name in `configs/agents`, a memory of the catalog, or `attention+memory`. Each task has a control (the
same agent without the memory or attention that the task needs) and known results for comparison. The runner skips
names that the catalog does not know, with a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

FIVE, THREE = (20, 21, 22, 23, 24), (20, 21, 22)
"""Seeds that were used for nothing else."""
Measure = Literal["return", "success", "strict"]


@dataclass(frozen=True, kw_only=True)
class Task:
    """The settings that all rows of one task share.

    Attributes:
        preset: the preset that the experiment starts from.
        measure: `return`, mean of test episodes; `success`, share of those with a positive return; `strict`, share of
            correct turns with a difference of the action values above 1 (see `strict`).
        at_least: score from which a seed passes.
        control: the agent that the others are compared with; empty for a task without one.
        known: score of an oracle, or a published score with its source.
        changes: settings of every row; the agent's and the row's settings override them.
        attends: whether the share of attention on the relevant token is measured too.
    """

    title: str
    preset: str
    at_least: float
    control: str
    known: str
    measure: Measure = "return"
    seeds: tuple[int, ...] = FIVE
    test_episodes: int = 100
    changes: Mapping[str, Any] = field(default_factory=dict)
    attends: bool = False


@dataclass(frozen=True)
class Row:
    """One agent on one task.

    Attributes:
        agent: name in the table and in file names.
        is_: the agent as described above, if `agent` is only a name for it.
        at_least, seeds, preset: override those of the task.
        at_most: score up to which a control passes.
        quick: whether the row belongs to the ten-minute subset (first seed only).
    """

    task: str
    agent: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    is_: str = ""
    at_least: float | None = None
    at_most: float | None = None
    seeds: tuple[int, ...] | None = None
    preset: str = ""
    quick: bool = False


def _tmaze(length: int, seeds: tuple[int, ...] = THREE) -> Task:
    """The T-maze with this corridor length, trained for at most 3,000 episodes.

    Long corridors get about one update per episode, on windows of whole episodes (tuned on seeds 0 to 2 with LRU).
    """
    steps = length + 1
    long: dict[str, Any] = {}
    if length >= 500:
        long = {
            "learn.lr": 2e-3,
            "learn.batch_size": 16,
            "learn.update_every": 1024 if length >= 1000 else 512,
            "learn.replay_capacity": 400 * steps,
        }
    return Task(
        title=f"Passive T-maze, corridor {length}",
        preset="tmaze",
        measure="strict",
        at_least=0.95,
        control="none",
        known="an oracle reaches 100 %, an agent without memory 50 %",
        seeds=seeds,
        changes={
            "env.kwargs": {"length": length},
            "net.horizon": length,
            "learn.window": steps,
            "learn.epsilon.steps": max(10_000, 100 * steps),
            "learn.replay_capacity": max(30_000, 64 * steps),
            "learn.update_every": 64,
            "run.total_steps": 3_000 * steps,
            "run.eval_every": 80 * steps,
            "run.eval_episodes": 32,
            **long,
        },
    )


ALONE: dict[str, Any] = {"net.previous_action": False, "net.previous_reward": False}
"""For controls: with its previous action as input, an agent could use its actions as a memory."""


def _sarima(seasonal_p: int, seasonal_q: int) -> dict[str, Any]:
    """Options of the SARIMA memory. With P = Q = 0 it looks back p = 2 steps, less than the season of 8."""
    options = {"p": 2, "q": 1, "seasonal_p": seasonal_p, "seasonal_q": seasonal_q, "season": 8}
    return {f"net.memory_options.{name}": value for name, value in options.items()}


TASKS: dict[str, Task] = {
    "cartpole-positions": Task(
        title="CartPole, positions only",
        preset="cartpole-positions",
        at_least=450,
        control="none",
        known="the maximum is 500; PPO + LSTM reaches 500 at 100,000 steps (rl-zoo), DQN + LSTM 350 at 2 M (RLlib)",
        changes={"run.total_steps": 150_000, "run.stop_at": 490.0, "net.tokens": "one"},
    ),
    "tmaze-50": _tmaze(50, FIVE),
    "tmaze-100": _tmaze(100),
    "tmaze-500": _tmaze(500),
    "tmaze-1000": _tmaze(1000),
    "recall": Task(
        title="Recall among distractors, 20 steps",
        preset="recall",
        measure="success",
        at_least=0.95,
        control="none",
        known="an oracle reaches 100 %, a random guess 25 %",
        changes={"run.stop_at": 0.98},
    ),
    "periodic": Task(
        title="Seasonal market, period 8",
        preset="periodic",
        at_least=45,
        control="sarima-without-season",
        known="the best forecast earns 52.8, an agent that remembers less than one season 0 on average",
    ),
    "minigrid-memory": Task(
        title="MiniGrid-MemoryS7",
        preset="minigrid-memory",
        measure="success",
        at_least=0.9,
        control="none",
        known="a random guess at the junction reaches 50 %; recurrent PPO returns 0.86 at 2 M steps on S9 (rl-zoo)",
        seeds=THREE,
        changes={"run.stop_at": 0.9},
    ),
    "find": Task(
        title="Find one of 16 entities",
        preset="find",
        at_least=7.2,
        control="none",
        known="an oracle reaches 8, random actions 2",
        attends=True,
        changes={"net.tokens": "feature", "run.stop_at": 7.9},
    ),
    "catch": Task(
        title="Catch, from pictures",
        preset="catch",
        at_least=0.9,
        control="",
        known="an oracle reaches 1",
        changes={"run.stop_at": 0.98},
    ),
    "catch-blind": Task(
        title="Catch a ball that is seen once",
        preset="catch-blind",
        at_least=0.9,
        control="none",
        known="an oracle reaches 1",
        changes={"run.stop_at": 0.98},
    ),
    "pendulum-positions": Task(
        title="Pendulum, positions only",
        preset="pendulum-positions",
        at_least=-250,
        control="none",
        known="about −150 with velocities (rl-zoo, TD3 and SAC)",
    ),
}

ROWS: tuple[Row, ...] = (
    Row("cartpole-positions", "none", at_most=150, quick=True),
    # Twice as many updates. All five tuning seeds were solved, within 60,000 steps (LSTM) and 150,000 steps (GRU).
    Row("cartpole-positions", "lstm", {"learn.lr": 5e-4, "learn.update_every": 16}),
    Row("cartpole-positions", "gru", {"learn.update_every": 16}),
    Row("cartpole-positions", "attention-gru", quick=True),
    Row("cartpole-positions", "lru", {"learn.lr": 5e-4}),
    Row("cartpole-positions", "mingru", {"learn.lr": 5e-4}),
    Row(
        "cartpole-positions",
        "transformer",
        {"run.total_steps": 100_000},
        preset="cartpole-positions-transformer",
        at_least=475,
        quick=True,
    ),
    Row("cartpole-positions", "mann", at_least=400),
    Row("cartpole-positions", "dnc", at_least=400),
    Row("cartpole-positions", "ppo-attention", {"run.total_steps": 300_000}),
    Row("tmaze-50", "none", at_most=0.7, quick=True),
    Row("tmaze-50", "lstm", quick=True),
    Row("tmaze-50", "gru"),
    Row("tmaze-50", "lru"),
    Row("tmaze-50", "mingru"),
    Row("tmaze-50", "transformer", quick=True),
    Row("tmaze-50", "mann"),
    Row("tmaze-50", "dnc"),
    *(
        Row(f"tmaze-{length}", memory, at_most=0.7 if memory == "none" else None)
        for length in (100, 500, 1000)
        for memory in ("none", "lstm", "gru", "lru", "mingru", "transformer", "mann", "dnc")
        if not (memory == "none" and length > 100)
    ),
    Row("recall", "none", ALONE, at_most=0.4),
    Row("recall", "lstm"),
    Row("recall", "gru"),
    Row("recall", "lru"),
    Row("recall", "mingru"),
    Row("recall", "transformer"),
    Row("recall", "mann"),
    Row("recall", "dnc"),
    Row("periodic", "none", at_most=10),
    Row("periodic", "sarima", _sarima(1, 1)),
    Row("periodic", "sarima-without-season", _sarima(0, 0), is_="sarima", at_most=10),
    Row("minigrid-memory", "none", ALONE, at_most=0.6),
    Row("minigrid-memory", "lstm"),
    Row("minigrid-memory", "gru"),
    Row("minigrid-memory", "transformer"),
    Row("minigrid-memory", "attention-over-cells", preset="minigrid-memory-cells", is_="pool+lstm"),
    Row("find", "none"),
    Row("find", "self-attention", is_="self+none", quick=True),
    Row("find", "action-attention", is_="action+none"),
    Row("catch", "none", quick=True),
    Row("catch-blind", "none", ALONE, at_most=0.5),
    Row("catch-blind", "gru"),
    Row("catch-blind", "transformer"),
    Row("pendulum-positions", "none", at_most=-400),
    Row("pendulum-positions", "gru"),
    Row("pendulum-positions", "lstm"),
    Row("pendulum-positions", "transformer"),
)
