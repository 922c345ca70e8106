"""Errors in the threads that carry messages: each becomes a Failed with its reason, and nothing waits for ever."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dqngui import catalog
from dqngui.hosts import Host, open_host
from dqngui.hosts.wire import events_of_frame
from dqngui.messages import Event, Failed, Finished, KnobChanged, OpenAgent, Request, SetKnob, decode_event
from dqngui.messages.json_lines import to_json
from dqngui.texts import words

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _jobs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("counting", "unwritable", "numpy_names"):
        monkeypatch.setitem(catalog.JOBS, name, catalog.Entry(name, f"tests.hosts.jobs:{name}"))
    monkeypatch.syspath_prepend(str(ROOT))
    threads = set(threading.enumerate())
    yield
    assert [each for each in threading.enumerate() if each not in threads and each.is_alive()] == []


def ended(host: Host, seconds: float = 30.0) -> list[Event]:
    """All events of a host, which must end in this time."""
    events, end = [], time.monotonic() + seconds
    while host.alive:
        assert time.monotonic() < end, f"it waits for ever: {events[-3:]}"
        events += host.drain()
        time.sleep(0.005)
    assert host.join(5.0)
    return events


def started(job: str, **options: Any) -> Host:
    host = open_host("process", Request(job=job, options=options))
    host.start()
    return host


def test_an_event_that_cannot_be_sent_is_named_and_the_job_stops_so_that_it_saves() -> None:
    events = ended(started("unwritable"))
    failures = [event for event in events if isinstance(event, Failed)]
    assert len(failures) == 1
    assert "KnobChanged" in words(failures[0].text)
    assert "TypeError" in words(failures[0].text)
    assert "Traceback" in failures[0].details
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "stopped", "the job heard of it and ended as usual"


def test_a_command_that_cannot_be_sent_is_named_and_the_job_stops_so_that_it_saves() -> None:
    host = started("counting", total=10**9, delay=0.001)
    host.send(SetKnob(field="learn.lr", value=object()))  # type: ignore[arg-type]
    events = ended(host)
    (failure,) = [event for event in events if isinstance(event, Failed)]
    assert "SetKnob" in words(failure.text)
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "stopped"


def test_a_job_that_cannot_be_handed_over_fails_at_once() -> None:
    events = ended(started("counting", total=object()))
    (failure,) = [event for event in events if isinstance(event, Failed)]
    assert "could not be handed to its process" in words(failure.text)


def test_strings_of_numpy_and_a_folder_whose_name_is_no_utf8_cross_the_pipe(tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/l\xe4ufe")
    host = open_host("process", Request(job="numpy_names", folder=name))
    host.start()
    host.send(OpenAgent(folder=name))
    changes = [each for each in ended(host) if isinstance(each, KnobChanged)]
    assert [(type(each.new), each.new) for each in changes] == [(str, "buy"), (float, 0.5), (int, 3)]
    assert changes[0].field == name


def test_every_message_keeps_such_a_name() -> None:
    event = KnobChanged(step=1, field="l\udce4ufe", old=1, new="\udce4")
    assert decode_event(to_json(event)) == event
    assert events_of_frame(b"E", bytearray(to_json(event)))[0] == event
