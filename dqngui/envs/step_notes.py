"""Step notes: named numbers of the present step that an environment wants people to see beside its picture.

An environment, or a wrapper around it, may have a method `step_notes()`. It returns short texts by name, such as
`{"speed": "25.0 m/s", "lane": "2 of 3"}`. It must not change the environment. The agent does not see them.
"""

from __future__ import annotations

from typing import Any

import gymnasium

from dqngui.envs.offered_names import offered, plain_names

MOST = 8
"""So many notes are shown."""
_METHOD = "step_notes"


def notes_of(env: gymnasium.Env[Any, Any]) -> dict[str, str]:
    """The notes of `env` now; none if it does not say any, or something else than short texts."""
    method = offered(env, _METHOD)
    if method is None:
        return {}
    try:
        told = list(method().items())[:MOST]
    except Exception:  # an error in a user's environment must not end the episode
        return {}
    names, texts = (
        plain_names([name for name, _ in told], len(told)),
        plain_names([text for _, text in told], len(told)),
    )
    return dict(zip(names, texts, strict=False))
