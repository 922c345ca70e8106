"""Measures how old the weights are that the window shows while it trains, and how soon a turned knob takes effect.

    python -m tests.benchmarks.freshness [--seconds 120] [--busy 1] [--host thread]

A shown window trains, by default in its worker thread, with the cards Agent, Attention and Memory in sight. Four times
a second the age of the weights that these cards show is taken: the time since training was at their step. Every three
seconds the learning rate is changed, and it is measured how long the answer takes, and how many updates were made
between the request and the step from which the new value counts. `--busy`: other processes that compute meanwhile.
The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from dqngui import messages as m
from dqngui import presets, settings
from dqngui.gui.app.app import App
from tests.benchmarks.hand import Hand, opened

OFTEN_S, KNOB_EVERY_S = 0.25, 3.0
OLDEST_S = 5.0


class Freshness(Hand):
    """Notes when training was at which step, and compares it with what is shown.

    Attributes:
        ages: seconds since training was at the step of the weights that Attention and Memory show, per sample.
        answers: seconds from a turned knob to its answer.
        steps: environment steps from the last one that the window knew of to the one from which a knob counts.
    """

    def __init__(self, app: App) -> None:
        super().__init__(app)
        self.ages: list[float] = []
        self.answers: list[float] = []
        self.steps: list[int] = []
        self._reached: tuple[list[int], list[float]] = [0], [time.monotonic()]
        self._asked: tuple[float, int] | None = None
        app.session.received.connect(self._take)

    def _take(self, events: Sequence[m.Event]) -> None:
        now, step = time.monotonic(), max(event.step for event in events)
        if step > self._reached[0][-1]:
            self._reached[0].append(step)
            self._reached[1].append(now)
        for event in events:
            if isinstance(event, m.KnobChanged) and self._asked is not None:
                asked, known = self._asked
                self.answers.append(now - asked)
                self.steps.append(event.step - known)
                self._asked = None

    def measure(self, seconds: float) -> dict[str, Any]:
        """Train and look for so many seconds."""
        session, player = self.app.session, self.app.player
        self.train(session.run.experiment.learn.warmup + 2_000)
        self.until(lambda: player.playing is not None and player.playing.weights_step > 0, "the agent that trains")
        began = sampled = turned = time.monotonic()
        rates = [1e-3, 9e-4]
        while (now := time.monotonic()) < began + seconds:
            self.wait(0.02)
            if now - sampled >= OFTEN_S and player.playing is not None:
                sampled = now
                self.ages.append(now - self._time_at(player.playing.weights_step))
            if now - turned >= KNOB_EVERY_S and self._asked is None:
                turned = now
                self._asked = now, self._reached[0][-1]
                rates.reverse()
                session.set_knob("learn.lr", rates[0])
        update_every = session.run.experiment.learn.update_every
        return {
            "seconds": round(seconds),
            "steps_per_s": round((self._reached[0][-1] - self._reached[0][0]) / (now - self._reached[1][0])),
            "age_s": _spread(self.ages),
            "older_than_5_s": round(float(np.mean(np.array(self.ages) > OLDEST_S)), 3),
            "knob_answer_s": _spread(self.answers),
            "knob_steps": _spread(self.steps),
            "update_every": update_every,
        }

    def _time_at(self, step: int) -> float:
        """When the window knew of this step."""
        index = bisect_right(self._reached[0], step) - 1
        return self._reached[1][max(0, index)]


def _spread(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    array = np.asarray(values, float)
    return {"median": round(float(np.median(array)), 3), "largest": round(float(array.max()), 3), "n": len(values)}


def _compute() -> None:
    while True:
        np.linalg.svd(np.ones((200, 200)))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("preset", nargs="?", default="cartpole-positions")
    parser.add_argument("--host", choices=("thread", "process"), default="thread")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--busy", type=int, default=0)
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    changes = {"run.total_steps": 1_000_000_000, "run.host": given.host}
    experiment = settings.with_settings(presets.read_experiment(given.preset), changes)
    with ExitStack() as stack:
        spawn = multiprocessing.get_context("spawn")
        others = [spawn.Process(target=_compute, daemon=True) for _ in range(given.busy)]
        for other in others:
            other.start()
            stack.callback(other.terminate)
        app = stack.enter_context(opened(experiment))
        result = Freshness(app).measure(given.seconds)
    print(json.dumps({"preset": given.preset, "host": given.host, "busy": given.busy, **result}))


if __name__ == "__main__":
    main()
