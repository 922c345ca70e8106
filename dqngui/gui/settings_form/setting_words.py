"""Texts for values and changes of settings, as shown in the form and in the draft."""

from __future__ import annotations

import re
from typing import Any

from dqngui import settings
from dqngui.config import ConfigError
from dqngui.config.inline_toml import inline_toml
from dqngui.gui.settings_form.fields import choice_label
from dqngui.texts.numbers import exact, measured

LONGEST = 28  # characters of a value


def value_words(path: str, value: Any) -> str:
    """The short text of a setting's value."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (int, float)):
        return exact(value)
    if isinstance(value, dict) and {"start", "end", "steps"} <= value.keys():
        over = f"{measured(100 * value['share'])} % of the run" if value.get("share") else exact(value["steps"])
        return f"{exact(value['start'])} to {exact(value['end'])} over {over}"
    text = choice_label(path, value) if isinstance(value, str) else inline_toml(value) if value else "none"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def change_words(path: str, old: Any, new: Any) -> str:
    """`width 64 → 128`."""
    try:
        label = settings.field_at(path).label
    except ConfigError:  # an option of an attention or a memory
        slot, _, name = path.removeprefix("net.").partition("_options.")
        label = f"{slot} {name.replace('_', ' ')}"
    name = label if label[1:2].isupper() else label[:1].lower() + label[1:]
    return f"{name} {value_words(path, old)} → {value_words(path, new)}"


def trying_text(seconds: float) -> str:
    """What is shown while an environment is tried, `seconds` after that began."""
    return "Trying the task…" if seconds < 1 else f"Trying the task… {seconds:.0f} s"


def readable(problem: str) -> str:
    """Rewrite a config error with the names that the form uses: `` `net.width`: expected `int` >= 4 `` becomes
    `Width: expected a whole number ≥ 4`."""
    for name, text in (
        ("`int`", "a whole number"),
        ("`float`", "a number"),
        ("`str`", "text"),
        ("`bool`", "yes or no"),
    ):
        problem = problem.replace(name, text)
    problem = problem.replace(">=", "≥").replace("<=", "≤")
    problem = re.sub(r"`([a-z]+\.[a-z_.]+)`", lambda found: _label(found[1]), problem)
    return problem[:1].upper() + problem[1:]


def _label(path: str) -> str:
    try:
        return settings.field_at(path).label
    except ConfigError:
        return path.rsplit(".", 1)[-1].replace("_", " ")
