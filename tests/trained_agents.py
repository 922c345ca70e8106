"""Agents that were really trained, for tests of what looks inside them: a run's folder, made once a test process.

`tmaze_run`: a GRU in a T-maze of five cells, 20,000 steps in about four seconds. It turns right on both cues: the way
is only in what it remembers, so that its memory is worth looking into, and an agent whose memory is erased cannot know.
Its memory erased at step 3, it turns the same way whatever the cue was. Checkpoints: best (= last, 20,000), 5,008,
10,000 and 15,008.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

LENGTH = 5
UP_SEED, DOWN_SEED = 3_000_005, 3_000_006
"""Seeds of episodes whose cue says up (action 0 is right), and down (action 1)."""


@pytest.fixture(scope="session")
def tmaze_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the trained run, which no test changes."""
    return train_tmaze(tmp_path_factory.mktemp("trained"))


def train_tmaze(runs: Path, **changes: Any) -> Path:
    """Train it in a new folder of `runs`; `changes` are settings by names with `__` for the dot (`run__seed`)."""
    # Not above: every test process reads this file, and most need no torch.
    from dqngui import presets
    from dqngui.hosts import run_inline
    from dqngui.messages import Failed, Request
    from dqngui.runs.folder import create
    from dqngui.settings import with_settings

    wanted: dict[str, Any] = {
        "env.kwargs": {"length": LENGTH},
        "net.memory": "gru",
        "net.horizon": LENGTH,
        "net.width": 32,
        "learn.window": LENGTH + 1,
        "learn.epsilon.steps": 2_000,
        "run.total_steps": 20_000,
        "run.eval_every": 20_000,
        "run.eval_episodes": 20,
        "run.checkpoint_every": 5_000,
        "run.seed": 0,
        "run.device": "cpu",
    }
    wanted |= {name.replace("__", "."): value for name, value in changes.items()}
    experiment = with_settings(presets.read_experiment("tmaze"), wanted)
    folder = create(runs, experiment)
    failures = [
        event
        for event in run_inline(Request(job="train", experiment=experiment, folder=str(folder)))
        if isinstance(event, Failed)
    ]
    assert not failures, failures
    return folder
