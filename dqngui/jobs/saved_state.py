"""Says what is wrong with a saved state that was damaged, or made by a stranger, before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from dqngui.bounded import LARGEST
from dqngui.config import ConfigError
from dqngui.texts import reason_of, say


@contextmanager
def damage_named(folder: Path) -> Iterator[None]:
    """Turn every error of taking over a saved state into a ConfigError that names the run."""
    try:
        yield
    except ConfigError as error:
        if error.text.key.startswith("state."):
            raise
        raise ConfigError("state.damaged_because", folder=folder, problem=error) from None
    except KeyError as error:
        raise ConfigError("state.damaged_because", folder=folder, problem=say("state.lacks", name=error.args)) from None
    except Exception as error:  # numbers of a stranger, of which no check knows them all
        raise ConfigError("state.damaged_because", folder=folder, problem=reason_of(error)) from None


class _Meta(msgspec.Struct):
    """The parts of the plain data of a state that the job itself reads; states of earlier versions lack some."""

    counters: dict[str, Any]
    knobs: dict[str, Any]
    returns: list[float] = []
    warned: list[str] = []
    obeyed: int = 0


def check_meta(meta: Mapping[str, Any]) -> None:
    """Raises ValueError if the plain data of a saved state has not the parts that it must have."""
    found = msgspec.convert(dict(meta), _Meta)
    if not -1 <= found.obeyed <= LARGEST:
        raise ValueError("obeyed")
