"""Writing files while others read them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dqngui.runs import files


def test_where_readers_lock_a_file_its_writer_waits_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = 0
    honest = os.replace

    def locked(source: Path, target: Path) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise PermissionError(13, "is open elsewhere", str(target))
        honest(source, target)

    monkeypatch.setattr(os, "replace", locked)
    monkeypatch.setattr(files, "READERS_LOCK", True)
    files.replace_file(tmp_path / "summary.json", b"new")
    assert (tmp_path / "summary.json").read_bytes() == b"new"
    assert tries == 3


@pytest.mark.parametrize("readers_lock", [True, False])
def test_a_folder_that_cannot_be_written_is_named(
    readers_lock: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(source: Path, target: Path) -> None:
        raise PermissionError(13, "not yours", str(target))

    monkeypatch.setattr(os, "replace", refused)
    monkeypatch.setattr(files, "READERS_LOCK", readers_lock)
    monkeypatch.setattr(files, "PATIENCE_SECONDS", 0.05)
    with pytest.raises(OSError, match="not yours"):
        files.replace_file(tmp_path / "summary.json", b"new")
