"""When a run was started, in a form that does not depend on the local time of a machine."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
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


def local_time(text: str) -> datetime | None:
    """An ISO time in the local time of this machine; None if it is no time of a run."""
    return datetime.fromtimestamp(seconds) if (seconds := moment(text)) else None


def start_in_name(folder: Path, updated: str) -> str:
    """The start of a run of an earlier version, ISO 8601 in UTC: its folder's name has it in local time.

    The offset of local time is that of `updated`, which was written by the same machine. Empty if there is no start in
    the name.
    """
    try:
        local = datetime.strptime(folder.name[:STAMP_LENGTH], STAMP)
        text = local.replace(tzinfo=_offset_of(updated)).astimezone(UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return ""
    return text if moment(text) else ""


def start_by_file(path: Path) -> str:
    """When a file that is written once was written, ISO 8601 in UTC; empty if that cannot be read."""
    try:
        text = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return ""
    return text if moment(text) else ""


def _offset_of(text: str) -> tzinfo | None:
    """The offset of an ISO time; None, this machine's local time, if it has none."""
    try:
        return datetime.fromisoformat(text).tzinfo
    except ValueError:
        return None
