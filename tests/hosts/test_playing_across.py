"""The playing job in a host: arrays, pictures and weights arrive complete, and its process has a lower priority."""

from __future__ import annotations

import io
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import psutil
import pytest

from dqngui.hosts import Host, child, open_host, wire
from dqngui.messages import (
    BeginEpisode,
    Command,
    EpisodeBegan,
    Event,
    Failed,
    Finished,
    Frame,
    Look,
    OpenAgent,
    Played,
    PlayerReady,
    Request,
    Stop,
    UseWeights,
)
from dqngui.presets import demo_folder, read_experiment
from dqngui.runs.checkpoints import load_weights


def crossed(message: Any) -> Any:
    """A message after it was sent through a pipe."""
    command = isinstance(message, Command)
    frame = wire.command_frame(message) if command else next(iter(wire.event_frames([message])))
    reader, writer = os.pipe()
    with io.FileIO(reader, "rb") as source, io.FileIO(writer, "wb") as sink:
        sending = threading.Thread(target=wire.write_frame, args=(sink, *frame))
        sending.start()
        kind, content = next(wire.read_frames(source))
        sending.join()
    return wire.command_of_frame(kind, content) if command else wire.events_of_frame(kind, content)[0]


ARRAYS = {
    "q": np.arange(6, dtype=np.float32).reshape(3, 2),
    "action": np.array([1, 0, 1]),
    "reward": np.array([0.1, np.nan, -np.inf]),
    "observation": np.zeros((3, 0), np.float32),
    "view/attention/self/0": np.random.default_rng(0).random((3, 4, 2, 2)).transpose(0, 1, 3, 2),
}


@pytest.mark.parametrize(
    "message",
    [
        Played(step=7, number=3, first=40, tensors=ARRAYS, ended=True, truncated=True),
        Frame(step=7, number=3, t=41, tensors={"pixels": np.arange(1200, dtype=np.uint8).reshape(20, 20, 3)}),
        Frame(step=7, number=3, t=41, tensors={}),
        UseWeights(step=9, tensors={"head.q.weight": np.ones((2, 3), np.float32), "scale": np.float32(2.0)}),
    ],
    ids=lambda message: type(message).__name__,
)
def test_arrays_cross_as_they_are(message: Any) -> None:
    arrived = crossed(message)
    assert type(arrived) is type(message)
    assert set(arrived.tensors) == set(message.tensors)
    for name, array in message.tensors.items():
        assert arrived.tensors[name].dtype == array.dtype
        np.testing.assert_array_equal(arrived.tensors[name], array)
    fields = [field for field in message.__struct_fields__ if field != "tensors"]
    assert [getattr(arrived, field) for field in fields] == [getattr(message, field) for field in fields]


def test_a_picture_is_sent_without_waiting_for_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "BATCH_SECONDS", 30.0)
    reader, writer = os.pipe()
    with io.FileIO(reader, "rb") as source, io.FileIO(writer, "wb") as sink:
        sender = child.Sender(sink)
        began = time.monotonic()
        sender.put(EpisodeBegan(step=1, number=1, seed=2))
        sender.put(Frame(step=1, number=1, t=0, tensors={}))
        frames = wire.read_frames(source)
        kinds = [next(frames)[0] for _ in range(2)]
        assert time.monotonic() - began < 10
        assert kinds == [wire.EVENTS, wire.TENSORS]
        sender.finish()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a pipe grow")
def test_a_pipe_holds_a_whole_picture() -> None:
    reader, writer = os.pipe()
    with io.FileIO(reader, "rb") as source, io.FileIO(writer, "wb") as sink:
        wire.widen(sink)
        wire.write_frame(sink, wire.TENSORS, bytes(640 * 480 * 3))  # would wait for a reader
        _, content = next(wire.read_frames(source))
        assert len(content) == 640 * 480 * 3


class Served:
    """Start the playing job in a host."""

    def __init__(self, kind: str) -> None:
        self.host: Host = open_host(kind, Request(job="play"))
        self.seen: list[Event] = []
        self.host.start()

    def until(self, kind: type[Event], holds: Callable[[Any], bool] = lambda event: True) -> Any:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            for event in self.host.drain():
                self.seen.append(event)
            found = [event for event in self.seen if isinstance(event, kind) and holds(event)]
            if found:
                return found[-1]
            time.sleep(0.005)
        raise AssertionError(f"no {kind.__name__} in {self.seen}")


def served(kind: str) -> tuple[list[dict[str, Any]], int]:
    """Play the demo agent in a host with sent weights; return its steps and the priority of its process."""
    folder = demo_folder()
    step, weights = load_weights(folder)
    player = Served(kind)
    send = player.host.send
    send(OpenAgent(folder="no/such/run"))
    assert player.until(Failed).mistake
    send(OpenAgent(experiment=read_experiment(folder / "experiment.toml")))
    player.until(PlayerReady)
    send(UseWeights(step=step, tensors=weights))
    send(BeginEpisode(number=1, seed=5))
    send(Look(number=1, until=40, t=20, size=(300, 200)))
    frame = player.until(Frame)
    last = player.until(Played, lambda played: played.first + len(played.tensors["q"]) == 40)
    assert player.until(EpisodeBegan).step == step == last.step
    pid = getattr(player.host, "pid", None)
    niceness = psutil.Process(pid).nice() if pid is not None else 0
    send(Stop())
    assert player.until(Finished).reason == "stopped"
    assert player.host.join(10)
    played = [event.tensors for event in player.seen if isinstance(event, Played)]
    return [{"pixels": frame.tensors["pixels"]}, *_joined(played)], niceness


def _joined(played: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: np.concatenate([part[name] for part in played]) for name in played[0]}]


def test_a_process_plays_as_a_thread_does_and_has_lower_priority() -> None:
    here, _ = served("thread")
    there, niceness = served("process")
    for one, other in zip(here, there, strict=True):
        assert set(one) == set(other)
        for name in one:
            assert one[name].dtype == other[name].dtype
            np.testing.assert_array_equal(one[name], other[name])
    assert here[0]["pixels"].shape == (200, 300, 3)
    if os.name == "posix":
        assert niceness == psutil.Process().nice() + child.NICENESS
