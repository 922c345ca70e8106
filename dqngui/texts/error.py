"""The base of errors that a person reads."""

from __future__ import annotations

from typing import Any

from dqngui.texts.text import Text, say


class ReadableError(ValueError):
    """An error that says in one sentence what is wrong; `str` gives the sentence.

    Attributes:
        text: the sentence as a key with arguments.
    """

    def __init__(self, key: str | Text, /, **args: Any) -> None:
        self.text = key if isinstance(key, Text) else say(key, **args)
        super().__init__(str(self.text))

    def __str__(self) -> str:
        return str(self.text)
