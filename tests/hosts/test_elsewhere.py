"""Watching and steering a run that another process trains."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dqngui import messages as m
from dqngui.hosts import run_inline
from dqngui.hosts.elsewhere import ElsewhereHost
from dqngui.messages import Request, without_clock
from dqngui.presets import read_experiment
from dqngui.runs.folder import create, read_events
from dqngui.settings import with_settings
from tests.trained_elsewhere import SMALL, Trained

LIMIT_S = 60.0


class Watched:
    """A watching host, and all events that it gave."""

    def __init__(self, folder: Path) -> None:
        self.host, self.events = ElsewhereHost(folder), list[m.Event]()
        self.host.start()

    def until(self, found: Callable[[m.Event], bool], *, after: int = 0) -> m.Event:
        """The first event from this index on of which this is true."""
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            self.events += self.host.drain()
            for event in self.events[after:]:
                after += 1
                if found(event):
                    return event
            assert self.host.alive, self.events[-3:]
            time.sleep(0.02)
        raise AssertionError(f"it did not come; the last events: {self.events[-3:]}")

    def ask(self, command: m.Command, kind: type[m.Event]) -> m.Event:
        """Send a command and wait for the next event of a kind."""
        seen = len(self.events)
        self.host.send(command)
        return self.until(lambda event: isinstance(event, kind), after=seen)

    def to_end(self) -> list[m.Event]:
        """Wait for the end, and return all events."""
        end = time.monotonic() + LIMIT_S
        while self.host.alive and time.monotonic() < end:
            self.events += self.host.drain()
            time.sleep(0.02)
        assert not self.host.alive and self.host.join(5.0)
        return self.events


@pytest.fixture
def trained(tmp_path: Path) -> Iterator[Trained]:
    trained = Trained(tmp_path)
    trained.wait_for_writer()
    yield trained
    trained.kill()


def kinds(events: list[m.Event]) -> set[str]:
    return {type(event).__name__ for event in events}


@pytest.mark.timeout(300)  # it starts several processes
def test_a_run_elsewhere_is_watched_and_steered_and_its_log_is_that_of_the_same_schedule(
    trained: Trained, tmp_path: Path
) -> None:
    one, other = Watched(trained.folder), Watched(trained.folder)
    opened = one.until(lambda event: isinstance(event, m.Opened))
    assert isinstance(opened, m.Opened) and opened.folder == str(trained.folder) and opened.parameters > 0
    changed = one.ask(m.SetKnob(field="learn.lr", value=5e-4), m.KnobChanged)
    refused = one.ask(m.SetKnob(field="learn.lr", value=-1.0), m.KnobRefused)
    assert isinstance(refused, m.KnobRefused) and refused.kept == 5e-4
    paused = one.ask(m.Pause(), m.Paused)
    again = one.ask(m.Step(), m.Paused)
    assert again.step == paused.step + 16
    point = m.Breakpoint(quantity="td_error", is_="below", value=-1.0)
    one.ask(m.SetBreakpoints(points=(point,)), m.BreakpointsSet)
    assert one.ask(m.SaveCheckpoint(), m.CheckpointSaved).step == again.step
    weights = one.ask(m.SendWeights(), m.Weights)
    assert isinstance(weights, m.Weights) and weights.step == again.step and weights.tensors
    one.ask(m.Resume(), m.Unpaused)
    one.until(lambda event: isinstance(event, m.Learned) and event.step > again.step + 2_000)
    other.until(lambda event: isinstance(event, m.Unpaused))  # a second one sees the same
    assert {"KnobChanged", "KnobRefused", "Paused", "BreakpointsSet", "CheckpointSaved"} <= kinds(other.events)
    other.host.kill()
    assert other.host.join(5.0) and trained.process.poll() is None  # who only watches ends nothing
    one.host.send(m.Stop())
    end = one.to_end()[-1]
    assert isinstance(end, m.Finished) and end.reason == "stopped"
    trained.process.wait(LIMIT_S)
    log = list(read_events(trained.folder))
    schedule = (
        m.SetKnob(field="learn.lr", value=5e-4, at=changed.step),
        m.SetKnob(field="learn.lr", value=-1.0, at=refused.step),
        m.SetBreakpoints(points=(point,), at=again.step),
        m.Stop(at=end.step),
    )
    alone = create(tmp_path / "alone", with_settings(read_experiment("tmaze"), SMALL))
    experiment = with_settings(read_experiment("tmaze"), SMALL)
    list(run_inline(Request(job="train", experiment=experiment, folder=str(alone), schedule=schedule)))
    assert [without_clock(event) for event in log] == [without_clock(event) for event in read_events(alone)]
    assert not (trained.folder / "commands").exists()


def test_a_writer_that_is_killed_is_told_and_another_that_goes_on_is_followed(trained: Trained) -> None:
    one = Watched(trained.folder)
    one.until(lambda event: isinstance(event, m.Opened))
    one.ask(m.Pause(), m.Paused)
    saved = one.ask(m.SaveCheckpoint(), m.CheckpointSaved)
    one.ask(m.Resume(), m.Unpaused)
    one.until(lambda event: event.step > saved.step + 1_000)
    trained.kill()
    events = one.to_end()
    assert [type(event) for event in events[-2:]] == [m.Failed, m.Finished]
    assert "killed" in events[-2].words  # type: ignore[attr-defined]
    (trained.folder / "live.jsonl").unlink()
    trained.resume()
    trained.wait_for_writer()
    two = Watched(trained.folder)
    resumed = two.until(lambda event: isinstance(event, m.RunResumed))
    assert resumed.step == saved.step
    two.ask(m.Stop(), m.Finished)


@pytest.mark.slow
def test_a_folder_that_is_deleted_is_told(trained: Trained) -> None:
    one = Watched(trained.folder)
    one.until(lambda event: isinstance(event, m.Opened))
    while trained.folder.exists():  # it is written meanwhile
        shutil.rmtree(trained.folder, ignore_errors=True)
    events = one.to_end()
    assert any(isinstance(event, m.Failed) for event in events)
