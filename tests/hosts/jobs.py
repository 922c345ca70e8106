"""Jobs for the tests of the hosts; a child process imports them by name."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dqngui.config import ConfigError
from dqngui.jobs.inbox import Inbox
from dqngui.messages import (
    EpisodeEnded,
    Event,
    Failed,
    Finished,
    KnobChanged,
    KnobRefused,
    Learned,
    Pause,
    Paused,
    Request,
    Resume,
    SendWeights,
    SetKnob,
    Step,
    Stop,
    Unpaused,
    Weights,
)


def counting(request: Request, inbox: Inbox) -> Iterator[Event]:
    """Count `total` steps of `delay` seconds each, and obey every command as a training job does."""
    total, delay = request.options.get("total", 100), request.options.get("delay", 0.0)
    knob, step, paused, reason = 1.0, 0, False, "completed"
    while step < total and reason != "stopped":
        commands = inbox.wait(step, 0.2) if paused else inbox.poll(step)
        moved = not paused
        for command in commands:
            if isinstance(command, Pause):
                paused, moved = True, False
                yield Paused(step=step)
            elif isinstance(command, Resume):
                if paused:
                    yield Unpaused(step=step)
                paused, moved = False, True
            elif isinstance(command, Step):
                moved = True
            elif isinstance(command, SetKnob) and command.field == "learn.lr":
                yield KnobChanged(step=step, field="learn.lr", old=knob, new=command.value)
                knob = command.value
            elif isinstance(command, SetKnob):
                yield KnobRefused(step=step, field=command.field, value=command.value, kept=0, reason="fork only")
            elif isinstance(command, SendWeights):
                yield Weights(step=step, tensors={"w": np.full((2, 3), step, np.float32), "n": np.int64(step)})
            elif isinstance(command, Stop):
                reason = "stopped"
        if moved and reason != "stopped":
            step += 1
            yield EpisodeEnded(step=step, ret=step * knob, length=1)
            if step % 10 == 0:
                yield Learned(step=step, updates=step, loss=knob / step, seconds=step * 0.5)
            time.sleep(delay)
    yield Finished(step=step, seconds=1.0, steps_per_second=float(step), reason=reason)


def raising(request: Request, inbox: Inbox) -> Iterator[Event]:
    """Fail after one event, in the way that the option `error` names."""
    yield EpisodeEnded(step=7, ret=1.0, length=7)
    kind = request.options["error"]
    if kind == "value":
        raise ValueError("no such thing")
    if kind == "config":
        raise ConfigError("`env.id`: there is no environment `Nowhere-v0`")
    if kind == "exit":
        sys.exit(3)
    if kind == "die":
        os._exit(5)
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "later":  # after a first failure that does not end the job
        yield Failed(step=7, text="cannot do this", mistake=True)
        yield EpisodeEnded(step=8, ret=1.0, length=1)
        time.sleep(0.3)  # so that both events are sent
        os._exit(5)
    # "silent": ends without Finished


def early(request: Request, inbox: Inbox) -> Iterator[Event]:
    """Raise before the first event."""
    raise ConfigError("`net.width` = 3 is too small")
    yield


def talkative(request: Request, inbox: Inbox) -> Iterator[Event]:
    """Print to standard output, which must not damage the pipe, and report which modules are imported."""
    print("hello from the environment", flush=True)
    os.write(1, b"and from C\n")
    for name in ("PySide6", "torch", "pytest", "__mp_main__"):
        if name in sys.modules:
            yield KnobRefused(step=0, field=name, value=0, kept=0, reason="imported")
    yield EpisodeEnded(step=1, ret=float("nan"), length=1)
    yield Finished(step=1, seconds=0.0, steps_per_second=0.0, reason="completed")


def flood(request: Request, inbox: Inbox) -> Iterator[Event]:
    """Send `count` events as fast as possible."""
    count = request.options["count"]
    for step in range(1, count + 1):
        yield EpisodeEnded(step=step, ret=1.0, length=1)
    yield Finished(step=count, seconds=1.0, steps_per_second=1.0, reason="completed")


def heavy(request: Request, inbox: Inbox) -> Iterator[Event]:
    """Send large weights faster than they are read."""
    for step in range(1, 21):
        yield Weights(step=step, tensors={"w": np.full(300_000, step, np.float32)})
    yield Finished(step=20, seconds=1.0, steps_per_second=1.0, reason="completed")


def waiting(request: Request, inbox: Inbox) -> Iterator[Event]:
    """Write the process id to a file, then count (or pause) forever; at a clean end the file says `closed`."""
    file = Path(request.options["pid"])
    file.write_text(str(os.getpid()))
    step = 0
    try:
        while True:
            step += 1
            yield EpisodeEnded(step=step, ret=0.0, length=1)
            if request.options.get("paused"):
                inbox.wait(step, 3600.0)
            time.sleep(0.01)
    finally:
        file.write_text("closed")


def unwritable(request: Request, inbox: Inbox) -> Iterator[Event]:
    """Tell two things that no pipe can carry, then count on until it is told to stop."""
    for field in ("one", "two"):
        yield KnobChanged(step=1, field=field, old=1, new=object())
    step = 1
    while not any(isinstance(command, Stop) for command in inbox.poll(step)):
        time.sleep(0.005)
        step += 1
        yield EpisodeEnded(step=step, ret=1.0, length=1)
    yield Finished(step=step, seconds=1.0, steps_per_second=1.0, reason="stopped")


def numpy_names(request: Request, inbox: Inbox) -> Iterator[Event]:
    """Tell strings and numbers of numpy, with the folder's name as the field."""
    for value in (np.array(["hold", "buy"])[1], np.float64(0.5), np.int64(3)):
        yield KnobChanged(step=1, field=request.folder or "", old=1, new=value)
    yield Finished(step=1, seconds=1.0, steps_per_second=1.0, reason="completed")
