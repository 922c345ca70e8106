"""Measures opening a stored run of a million events in the real window: time to the first curve and to the end of
reading, and the lateness of the event loop."""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from dqngui import presets
from dqngui.gui.docking.timings import Lateness
from dqngui.messages import EpisodeEnded, Evaluated, Learned, encode
from dqngui.runs.folder import EVENTS, create, new_summary, write_summary
from tests.benchmarks.hand import Hand, opened

EVENTS_WRITTEN = 1_000_000
PATIENCE_S = 60.0


def write_run(runs: Path, events: int = EVENTS_WRITTEN, seed: int = 0) -> Path:
    """Write a run's folder with a log like that of training: 16 environments, short episodes, a row every 500 steps."""
    experiment = presets.read_experiment("cartpole-positions")
    folder, generator = create(runs, experiment), random.Random(seed)
    step, episodes, row, evaluation = 0, 0, 500, 5_000
    with open(folder / EVENTS, "wb") as log:
        for _ in range(events):
            if step >= evaluation:
                evaluation += 5_000
                returns = tuple(float(generator.randrange(9, 500)) for _ in range(10))
                lengths = tuple(int(each) for each in returns)
                event = Evaluated(step=step, returns=returns, lengths=lengths, mean=sum(returns) / 10)
                log.write(encode(event) + b"\n")
            elif step >= row:
                row += 500
                rate = {"steps_per_second": 9000 + generator.random(), "updates_per_second": 140 + generator.random()}
                values = {name: generator.random() for name in ("loss", "td_error", "q_mean", "grad_norm")}
                log.write(encode(Learned(step=step, updates=step // 64, seconds=step / 9000, **values, **rate)) + b"\n")
            else:
                length = generator.randrange(9, 120)
                step, episodes = step + length, episodes + 1
                event = EpisodeEnded(
                    step=step, ret=float(length), length=length, env=episodes % 16, episode=episodes // 16
                )
                log.write(encode(event) + b"\n")
    write_summary(folder, msgspec.structs.replace(new_summary(experiment), state="stopped", step=step))
    return folder


def measure(events: int = EVENTS_WRITTEN) -> dict[str, float]:
    """Seconds until the first curve is drawn and until everything is read, and the worst lateness in ms."""
    with tempfile.TemporaryDirectory() as place:
        folder = write_run(Path(place) / "runs", events)
        with opened(presets.read_experiment("cartpole-positions"), folder.parent) as app:
            return _opened(Hand(app), folder)


def _opened(hand: Hand, folder: Path) -> dict[str, float]:
    app = hand.app
    hand.until(lambda: app.session.torch_loaded, "torch")  # otherwise the import would be measured too
    hand.wait(1.0)
    panel, lateness = app.window.panel_docks.panels["return"], Lateness(app)
    lateness.start()
    hand.wait(0.1)
    began = time.perf_counter()
    first = 0.0
    app.session.open_stored(folder)
    while app.session.log.share < 1.0 and time.perf_counter() - began < PATIENCE_S:
        hand.wait(0.005)
        if not first and panel.content.isVisible():
            first = time.perf_counter() - began
    whole = time.perf_counter() - began
    hand.wait(0.3)
    lateness.stop()
    worst = float(lateness.figures()["worst"])
    return {"first_curve_s": round(first, 3), "whole_s": round(whole, 2), "worst_late_ms": round(worst, 1)}


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS_WRITTEN), indent=2))
