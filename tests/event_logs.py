"""Trains runs here and now, and gives event logs as plain data without clock fields, so that runs can be compared."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dqngui.config import Experiment
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.train import train
from dqngui.messages import Command, Event, Request, without_clock
from dqngui.runs.folder import read_events


def run(asked: Experiment, schedule: tuple[Command, ...] = (), **options: Any) -> list[Event]:
    """The events of a run that keeps no folder."""
    return list(train(Request(job="train", experiment=asked, options=options), Inbox(None, schedule)))


def log(events: Iterable[Event]) -> list[dict[str, Any]]:
    """The events that a log stores."""
    return [without_clock(event) for event in events if event.logged]


def stored_log(folder: Path) -> list[dict[str, Any]]:
    """The log of a run's folder."""
    return [without_clock(event) for event in read_events(folder)]
