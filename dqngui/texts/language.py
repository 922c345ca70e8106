"""What a language needs so that texts can be shown in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plural:
    """A sentence whose wording depends on a number.

    Attributes:
        by: name of the argument that is counted.
        forms: template by the name of its form, as `Language.form` gives it; `other` is always there.
    """

    by: str
    forms: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Language:
    """One language.

    Attributes:
        templates: by key, with named arguments and their formats: `step {step:,}`. A sentence without an entry is
            shown in English.
        form: name of the plural form of a number, such as `one` and `other`.
        listed: several words as one list.
    """

    templates: Mapping[str, str | Plural]
    form: Callable[[float], str]
    listed: Callable[[Sequence[str]], str]
