"""Shared fixtures of the lab's tests."""

from __future__ import annotations

from tests.doubles.fixtures import folder, player, session

__all__ = ["folder", "player", "session"]
