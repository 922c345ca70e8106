"""`dqngui steer`: steers a run that trains in another process, through its folder."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from dqngui.commands.arguments import SteerArguments
from dqngui.commands.experiments import run_folder
from dqngui.config import ConfigError
from dqngui.hosts.elsewhere import ElsewhereHost, is_elsewhere
from dqngui.messages import (
    CheckpointSaved,
    Command,
    Event,
    Finished,
    KnobChanged,
    KnobRefused,
    Opened,
    Pause,
    Paused,
    Resume,
    SaveCheckpoint,
    SetKnob,
    Stop,
    Unpaused,
)
from dqngui.settings import knob_value, parse_assignments
from dqngui.texts import Text, say

ANSWER_S = 60.0
"""So long an answer is waited for: one step of a slow environment may take long."""
_IDLE_S = 0.02


def run(arguments: SteerArguments) -> int:
    """Send each command and print its answer; returns the exit status. Raises ConfigError."""
    wanted = _wanted(arguments)
    folder = run_folder(arguments.run, arguments.runs)
    if not is_elsewhere(folder):
        raise ConfigError("steer.nobody", run=folder)
    watched = _Watched(folder)
    try:
        watched.wait(lambda event: isinstance(event, Opened), folder)
        for command, answers in wanted:
            if isinstance(command, Pause) and watched.paused:
                print(say("steer.paused_already", step=watched.step))
            elif isinstance(command, Resume) and not watched.paused:
                print(say("steer.not_paused", step=watched.step))
            else:
                watched.host.send(command)
                print(_said(watched.wait(answers, folder)))
    finally:
        watched.host.kill()
    return 0


def _wanted(arguments: SteerArguments) -> list[tuple[Command, Callable[[Event], bool]]]:
    """The commands in the order in which they make sense, each with what answers it. Raises ConfigError."""
    wanted: list[tuple[Command, Callable[[Event], bool]]] = []
    for path, value in parse_assignments(list(arguments.set)).items():
        knob = knob_value(path, value)
        wanted.append((SetKnob(field=path, value=knob), _answers_knob(path)))
    plain: tuple[tuple[bool, Command, type[Event]], ...] = (
        (arguments.pause, Pause(), Paused),
        (arguments.resume, Resume(), Unpaused),
        (arguments.save, SaveCheckpoint(), CheckpointSaved),
        (arguments.stop, Stop(), Finished),
    )
    wanted += [(command, _is(kind)) for chosen, command, kind in plain if chosen]
    if not wanted:
        raise ConfigError("steer.nothing")
    if (arguments.pause and arguments.resume) or (arguments.stop and (arguments.pause or arguments.resume)):
        raise ConfigError("steer.contradiction")
    return wanted


def _answers_knob(path: str) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, (KnobChanged, KnobRefused)) and event.field == path


def _is(kind: type[Event]) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, kind)


def _said(event: Event) -> Text:
    """What happened, as a sentence. Raises ConfigError for a refusal."""
    match event:
        case KnobRefused():
            raise ConfigError("steer.refused", setting=event.field, problem=event.reason, step=event.step)
        case KnobChanged():
            return say("steer.changed", setting=event.field, old=event.old, new=event.new, step=event.step)
        case Paused():
            return say("steer.paused", step=event.step)
        case Unpaused():
            return say("steer.resumed", step=event.step)
        case CheckpointSaved():
            return say("steer.saved", step=event.step)
    return say("steer.stopped", step=event.step)


class _Watched:
    """The run, watched until an answer comes.

    Attributes:
        paused, step: as its events say.
    """

    def __init__(self, folder: Path) -> None:
        self.host = ElsewhereHost(folder)
        self.paused, self.step = False, 0
        self.host.start()

    def wait(self, found: Callable[[Event], bool], folder: Path) -> Event:
        """The next event of which this is true, once everything that came with it is noted. Raises ConfigError."""
        end, answer = time.monotonic() + ANSWER_S, None
        while time.monotonic() < end:
            past = self.host.catching_up
            for event in self.host.drain():
                self._note(event)
                answer = event if answer is None and not past and found(event) else answer
            if answer is not None:
                return answer
            if not self.host.alive:
                raise ConfigError("steer.ended", run=folder)
            time.sleep(_IDLE_S)
        raise ConfigError("steer.silent", run=folder, seconds=ANSWER_S)

    def _note(self, event: Event) -> None:
        self.step = max(self.step, event.step)
        if isinstance(event, (Paused, Unpaused)):
            self.paused = isinstance(event, Paused)
