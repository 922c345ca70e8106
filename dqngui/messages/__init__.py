"""Every event and command that crosses a thread, a process or a machine. No code that acts on them.

Events say what happened, commands ask for something. Both are frozen and hold only plain data, so each has one line of
JSON. `step` counts environment steps since the run began.

A new event or command is written down once, as a class in a module of this folder: it can then be imported from here,
encoded and decoded.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any, Union

import msgspec

from dqngui.config import Experiment
from dqngui.messages.json_lines import from_json, to_json
from dqngui.messages.message import Command, Event
from dqngui.messages.playing import *  # noqa: F403  # so that no message is named a second time here
from dqngui.messages.study import *  # noqa: F403
from dqngui.messages.suiting import *  # noqa: F403
from dqngui.messages.tested import *  # noqa: F403
from dqngui.messages.training import *  # noqa: F403

CLOCK_FIELDS = frozenset({"seconds", "steps_per_second", "updates_per_second"})
"""Fields that depend on the clock: the only ones in which the logs of equal runs may differ."""

if TYPE_CHECKING:
    ALL_EVENTS = Event
    COMMANDS = Command
else:  # msgspec decodes a union by the tags of its members
    ALL_EVENTS = Union[tuple(Event.__subclasses__())]  # noqa: UP007
    COMMANDS = Union[tuple(Command.__subclasses__())]  # noqa: UP007


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a host is asked to run.

    Attributes:
        job: a name in `catalog.JOBS`.
        experiment: for a new run; None when `resume` continues the one in `folder`.
        folder: the run's folder; None keeps no files.
        resume: continue the run in `folder` from its last checkpoint.
        fork: folder of the run that `experiment` branches from, at its last checkpoint; `folder` is the branch's own.
        schedule: commands known beforehand, each with its `at`.
        options: further arguments of the job.
    """

    job: str
    experiment: Experiment | None = None
    folder: str | None = None
    resume: bool = False
    fork: str | None = None
    schedule: tuple[COMMANDS, ...] = ()
    options: dict[str, Any] = {}


_event_decoder = msgspec.json.Decoder(ALL_EVENTS)


def encode(message: Event | Command) -> bytes:
    """One line of JSON, without the newline."""
    return to_json(message)


def decode_event(line: bytes) -> Event:
    """The event of one JSON line. Raises msgspec.DecodeError or ValidationError."""
    try:
        return _event_decoder.decode(line)
    except msgspec.ValidationError:
        # JSON has no NaN: an environment's NaN return was written as null.
        return msgspec.convert(_nan_for_null(from_json(line, Any), _event_types()), ALL_EVENTS)
    except msgspec.DecodeError:
        return from_json(line, ALL_EVENTS)


def _nan_for_null(data: Any, allowed: msgspec.inspect.Type) -> Any:
    """Plain data with NaN for null where a number must stand; where the type allows nothing, nothing stays."""
    match allowed:
        case msgspec.inspect.UnionType(types):
            if data is None and any(isinstance(each, msgspec.inspect.NoneType) for each in types):
                return None
            tag = data.get("type") if isinstance(data, dict) else None
            fitting = [each for each in types if tag is None or getattr(each, "tag", None) == tag]
            return _nan_for_null(data, fitting[0]) if fitting else data
        case msgspec.inspect.StructType(fields=fields) if isinstance(data, dict):
            inside = {field.encode_name: field.type for field in fields}
            return {key: _nan_for_null(each, inside.get(key, allowed)) for key, each in data.items()}
        case msgspec.inspect.VarTupleType(item) | msgspec.inspect.ListType(item) if isinstance(data, list):
            return [_nan_for_null(each, item) for each in data]
        case msgspec.inspect.DictType(_, item) if isinstance(data, dict):
            return {key: _nan_for_null(each, item) for key, each in data.items()}
        case msgspec.inspect.FloatType() if data is None:
            return math.nan
    return data


@cache  # and not before it is needed: most logs hold no NaN
def _event_types() -> msgspec.inspect.Type:
    return msgspec.inspect.type_info(ALL_EVENTS)


def decode_command(line: bytes) -> Command:
    """The command of one JSON line. Raises msgspec.DecodeError or ValidationError."""
    return from_json(line, COMMANDS)


def without_clock(event: Event) -> dict[str, Any]:
    """Plain data of an event without its clock fields, for comparing logs."""
    return {key: value for key, value in msgspec.to_builtins(event).items() if key not in CLOCK_FIELDS}
