"""The sentences about comparisons of runs."""

from __future__ import annotations

from dqngui.texts.language import Plural

TEMPLATES: dict[str, str | Plural] = {
    "compare.no_score": "there is no score `{name}`; choose one of: {known}, with a return R",
}
