"""When a run was started, in a form that does not depend on the local time of a machine."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

STAMP = "%Y-%m-%d_%H-%M-%S"
STAMP_LENGTH = len("2026-05-20_12-30-00")
LATEST = 2.5e11  # seconds: before the year 9999 in every time zone, so that it has a date everywhere


def now_utc() -> str:
    """The present time as ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def moment(text: str) -> float:
    """Seconds since 1970 of an ISO time with its offset (without one: local time); 0 if it is no time of a run."""
    try:
        seconds = datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0
    return seconds if 0.0 < seconds < LATEST else 0.0


def start_in_name(folder: Path, updated: str) -> str:
    """The start of a run of an earlier version, ISO 8601 in UTC: its folder's name has it in local time.

    The offset of local time is that of `updated`, which was written by the same machine. Empty if there is no start in
    the name.
    """
    try:
        local = datetime.strptime(folder.name[:STAMP_LENGTH], STAMP)
    except ValueError:
        return ""
    try:
        offset = datetime.fromisoformat(updated).tzinfo
        return local.replace(tzinfo=offset).astimezone(UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        try:
            return local.astimezone(UTC).isoformat(timespec="milliseconds")
        except (OverflowError, OSError):
            return ""
