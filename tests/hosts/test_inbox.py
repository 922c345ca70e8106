"""The inbox: at which step each command is due."""

from __future__ import annotations

import queue
import threading
import time

from dqngui.jobs.inbox import Inbox
from dqngui.messages import Pause, Resume, SaveCheckpoint, SetKnob, Step, Stop


def test_stamped_commands_are_due_at_their_step_and_once() -> None:
    inbox = Inbox(None, [Pause(at=10), Stop(at=20)])
    assert inbox.poll(9) == []
    assert inbox.poll(10) == [Pause(at=10)]
    assert inbox.poll(10) == []
    assert inbox.poll(35) == [Stop(at=20)]


def test_commands_due_together_come_in_the_order_of_their_steps_then_of_their_sending() -> None:
    source: queue.SimpleQueue = queue.SimpleQueue()
    inbox = Inbox(source, [SetKnob(field="b", value=1, at=8), SetKnob(field="a", value=1, at=4)])
    source.put(Pause())
    source.put(Stop())
    names = [getattr(c, "field", type(c).__name__) for c in inbox.poll(9)]
    assert names == ["a", "b", "Pause", "Stop"]


def test_a_command_sent_with_a_step_waits_for_it() -> None:
    source: queue.SimpleQueue = queue.SimpleQueue()
    inbox = Inbox(source)
    source.put(Stop(at=50))
    assert inbox.poll(49) == []
    assert inbox.poll(50) == [Stop(at=50)]


def test_waiting_without_a_source_takes_the_schedule_in_order_then_resumes() -> None:
    inbox = Inbox(None, [Step(at=100), SaveCheckpoint(at=90)])
    assert inbox.wait(5, 60.0) == [SaveCheckpoint(at=90)]
    assert inbox.wait(5, 60.0) == [Step(at=100)]
    assert inbox.wait(5, 60.0) == [Resume()]


def test_waiting_returns_commands_sent_inline() -> None:
    inbox = Inbox(None)
    inbox.send(Stop())
    assert inbox.wait(0, 60.0) == [Stop()]


def test_waiting_with_a_source_ends_with_the_first_command_or_the_timeout() -> None:
    source: queue.SimpleQueue = queue.SimpleQueue()
    inbox = Inbox(source)
    began = time.perf_counter()
    assert inbox.wait(3, 0.05) == []
    assert 0.04 < time.perf_counter() - began < 2.0
    threading.Timer(0.05, source.put, [Step()]).start()
    assert inbox.wait(3, 30.0) == [Step()]
    source.put(Stop(at=99))
    assert inbox.wait(3, 0.05) == []  # a command for later does not end the pause
    assert inbox.poll(99) == [Stop(at=99)]


def test_a_resumed_run_skips_commands_due_at_its_step_or_before() -> None:
    inbox = Inbox(None, [Stop(at=40), Pause(at=50), SaveCheckpoint(at=51), Resume()])
    inbox.skip(50)
    assert inbox.poll(50) == [Resume()]
    assert inbox.poll(51) == [SaveCheckpoint(at=51)]
