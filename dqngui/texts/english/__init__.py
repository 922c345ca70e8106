"""All sentences in English, one module a subject, each `key -> template`."""

from __future__ import annotations

from collections.abc import Sequence

from dqngui.texts.english import (
    breakpoints,
    commands,
    comparison,
    environments,
    jobs,
    log,
    playback,
    runs,
    session,
    settings,
    study,
    sweeps,
    tested,
    verdicts,
    window,
)
from dqngui.texts.language import Language


def _form(count: float) -> str:
    return "one" if count == 1 else "other"


def _listed(items: Sequence[str]) -> str:
    return ", ".join(items) or "none"


ENGLISH = Language(
    templates={
        **settings.TEMPLATES,
        **environments.TEMPLATES,
        **runs.TEMPLATES,
        **jobs.TEMPLATES,
        **breakpoints.TEMPLATES,
        **session.TEMPLATES,
        **log.TEMPLATES,
        **playback.TEMPLATES,
        **study.TEMPLATES,
        **sweeps.TEMPLATES,
        **tested.TEMPLATES,
        **verdicts.TEMPLATES,
        **window.TEMPLATES,
        **commands.TEMPLATES,
        **comparison.TEMPLATES,
    },
    form=_form,
    listed=_listed,
)
