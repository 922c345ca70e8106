"""A text as a key with arguments, and how it becomes a sentence."""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Iterable
from string import Formatter
from typing import Any

import msgspec

from dqngui.texts.english import ENGLISH
from dqngui.texts.language import Language, Plural
from dqngui.texts.numbers import formatted
from dqngui.texts.plain import plain

_LARGEST = 2**63


class Text(msgspec.Struct, frozen=True):
    """A text for a person: a key of the catalog, with plain arguments. Made by `say`; shown by `words` or `str`.

    Attributes:
        args: by name. All of it can be written as JSON; a tuple is shown as a list, a Text as its own sentence.
    """

    key: str
    args: dict[str, str | bool | int | float | Text | tuple[str | bool | int | float | Text | None, ...] | None] = {}

    def __str__(self) -> str:
        return words(self)


def say(key: str, /, **args: Any) -> Text:
    """The text of this key, with arguments turned into what JSON can hold.

    A path becomes a string, an error its reason, and anything that can be iterated over a list; of a mapping, its
    keys. A list in a list becomes a string, and so does any other object.
    """
    return Text(key, {name: _plain(value) for name, value in args.items()})


def words(text: Text | str) -> str:
    """The sentence of a text in the chosen language; a text that is a string already stays one.

    Control characters in arguments are shown as codes (`plain`). Never raises: where the key is unknown, as in the log
    of a newer version, key and arguments are shown.
    """
    if isinstance(text, str):
        return plain(text)
    template = _language.templates.get(text.key) or ENGLISH.templates.get(text.key)
    if isinstance(template, Plural):
        count = text.args.get(template.by)
        form = _language.form(count) if isinstance(count, (int, float)) else "other"
        template = template.forms.get(form) or template.forms["other"]
    try:
        if template is not None:
            return _DOUBLE_STOP.sub(r"\1", _FORMATTER.vformat(template, (), text.args))
    except RecursionError:  # texts in texts in texts, in the log of a stranger
        return plain(text.key)
    except (LookupError, ValueError, TypeError, ArithmeticError, AttributeError):
        pass  # arguments of another version
    given = ", ".join(f"{name}: {_FORMATTER.format_field(value, '')}" for name, value in text.args.items())
    return plain(f"{text.key} ({given})" if given else text.key)


def reason_of(error: BaseException) -> Text | str:
    """What an error says: its Text, its message, or without a message the name of its class. Never empty."""
    text = getattr(error, "text", None)
    return text if isinstance(text, Text) else str(error).strip() or type(error).__name__


def sentence(text: Text | str) -> str:
    """The words of a text as a whole sentence: a capital first, unless it begins with a name, and a full stop."""
    said = words(text)
    first = said.split(" ", 1)[0]
    begun = said[:1].upper() + said[1:] if first.isalpha() else said
    return begun if begun.endswith((".", "…", "!", "?")) else f"{begun}."


def speak(language: Language) -> None:
    """Show every text in this language from now on."""
    global _language
    _language = language


class _ArgumentFormatter(Formatter):
    """Formats arguments: texts and lists in words, and whatever a format does not fit as it is."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, Text):
            return words(value)
        if isinstance(value, (tuple, list)):
            return _language.listed([self.format_field(each, format_spec) for each in value])
        try:
            number = formatted(value, format_spec)
            said = format(value, format_spec) if number is None else number
        except (ValueError, TypeError, ArithmeticError):
            said = str(value)
        return plain(said) if isinstance(value, str) else said  # it may come from anyone


_FORMATTER = _ArgumentFormatter()
_DOUBLE_STOP = re.compile(r"([!?…]|\.\.\.|(?<!\.)\.)\.(?=\s|$)")  # an argument that is a sentence has a stop already
_language = ENGLISH


def _plain(value: Any) -> Any:
    """The same as plain data that JSON can hold and that `Text.args` can be read back from. Never raises."""
    try:
        if not isinstance(value, str) and isinstance(value, Iterable) and not _is_single(value):
            return tuple(_single(each) for each in value)
    except Exception:  # an object that cannot be asked or iterated over; it is shown as a whole
        pass
    return _single(value)


def _single(value: Any) -> Any:
    """The same as one value: nothing, a Text, a string, a boolean or a number; a list becomes one string."""
    try:
        if value is None or isinstance(value, (bool, Text)):
            return value
        if isinstance(value, str):
            return _writable(value)
        if isinstance(value, numbers.Integral):
            number = int(value)
            return number if -_LARGEST <= number < _LARGEST else str(number)
        if isinstance(value, numbers.Real):
            return float(value) if math.isfinite(value) else str(float(value))
        if isinstance(value, BaseException):
            reason = reason_of(value)
            return reason if isinstance(reason, Text) else _writable(reason)
        if _is_single(value) and hasattr(value, "item"):
            held = value.item()
            return _writable(str(held)) if hasattr(held, "ndim") else _single(held)
        if isinstance(value, (list, tuple)):
            return _writable(", ".join(map(str, value)))
        return _writable(str(value))
    except Exception:  # an object that cannot even be shown
        return type(value).__name__


def _is_single(value: Any) -> bool:
    """Whether it holds one value although it may have a method to iterate: bytes, an array without axes."""
    return isinstance(value, (bytes, bytearray, BaseException)) or getattr(value, "ndim", None) == 0


def _writable(text: str) -> str:
    """The same with what UTF-8 cannot hold written as `\\udc80`: names of files may contain such bytes."""
    return str.__str__(text).encode("utf-8", "backslashreplace").decode()
