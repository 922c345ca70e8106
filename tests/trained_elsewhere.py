"""A run that a process of its own trains, for tests that watch and steer it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from dqngui.presets import read_experiment
from dqngui.runs.folder import create
from dqngui.settings import with_settings

LIMIT_S = 60.0
SMALL = {
    "run.total_steps": 50_000_000, "run.eval_every": 0, "run.checkpoint_every": 1_000_000, "run.log_every": 200,
    "net.memory": "none", "env.kwargs.length": 5, "net.horizon": 5, "learn.window": 6, "net.width": 16,
}  # fmt: skip


class Trained:
    """A run that a process of its own trains."""

    def __init__(self, runs: Path) -> None:
        self.folder = create(runs, with_settings(read_experiment("tmaze"), SMALL))
        self.process = self._start("False")

    def resume(self) -> None:
        self.process = self._start("True")

    def _start(self, resume: str) -> subprocess.Popen[bytes]:
        code = (
            "import sys; from pathlib import Path; from dqngui.hosts import run_inline; "
            "from dqngui.messages import Request; from dqngui.runs.folder import read_experiment; "
            f"resume = {resume}; folder = sys.argv[1]; "
            "experiment = None if resume else read_experiment(Path(folder)); "
            "request = Request(job='train', experiment=experiment, folder=folder, resume=resume); "
            "[0 for _ in run_inline(request)]"
        )
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.Popen([sys.executable, "-c", code, str(self.folder)], env=environment)

    def wait_for_writer(self) -> None:
        """Wait until the process listens for commands."""
        end = time.monotonic() + LIMIT_S
        while not (self.folder / "live.jsonl").exists() and time.monotonic() < end:
            time.sleep(0.02)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
