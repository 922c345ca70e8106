"""The settings of the run: its length, where it computes, how often it evaluates and saves."""

from __future__ import annotations

from typing import Annotated, Literal

from dqngui.schema import Options, setting


class RunConfig(Options, frozen=True):
    """The settings of the run: its length, where it computes, how often it evaluates and saves."""

    total_steps: Annotated[
        int, setting("Environment steps of the whole run.", label="Total steps", unit="steps", log=True, ge=1)
    ] = 150_000
    seed: Annotated[int, setting("Seed of everything random in the run.", ge=0, le=2**31 - 1)] = 0
    device: Annotated[
        str,
        setting(
            "Where torch computes: cpu, cuda, cuda:N, mps, or auto: the faster of CPU and GPU, measured first.",
            pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$",
        ),
    ] = "auto"
    host: Annotated[
        Literal["inline", "thread", "process"],
        setting(
            "Where training runs: in a thread of the window, or in a process of its own. A task of an unknown package "
            "runs in a process unless this is inline."
        ),
    ] = "thread"
    threads: Annotated[
        int,
        setting("Threads of torch; part of the experiment, because the rounding of sums depends on it.", ge=1, le=256),
    ] = 1
    eval_every: Annotated[
        int,
        setting(
            "Environment steps between greedy evaluations; 0 switches them off.",
            label="Evaluate every",
            unit="steps",
            ge=0,
        ),
    ] = 5_000
    eval_episodes: Annotated[
        int, setting("Episodes in an evaluation. More give a steadier mean and take longer.", ge=1, le=1000)
    ] = 10
    eval_share: Annotated[
        float,
        setting(
            "Largest share that evaluations may have of all environment steps; they are put off until training has "
            "caught up. The last steps are always evaluated.",
            label="Evaluation share",
            advanced=True,
            ge=0.01,
            le=1,
        ),
    ] = 0.75
    stop_at: Annotated[
        float | None, setting("Stop when two disjoint evaluations both reach this mean return.", label="Stop at return")
    ] = None
    log_every: Annotated[
        int, setting("Environment steps between rows of the learning curves.", unit="steps", advanced=True, ge=1)
    ] = 500
    checkpoint_every: Annotated[int, setting("Environment steps between checkpoints.", unit="steps", ge=1)] = 10_000
