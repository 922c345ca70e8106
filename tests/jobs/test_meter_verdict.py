"""The verdict of the faithfulness meter, from numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dqngui.jobs.study.meter import Lost, verdict_of
from dqngui.messages import Measured

SIXTEEN = np.ones(16)
NOISE = np.random.default_rng(0).normal(0.0, 1.0, 16)


def verdict(**changes: Any) -> str:
    """Of a map whose removal loses what another action loses, unless something is said otherwise."""
    lost = Lost(other=2 * SIXTEEN, top=2 * SIXTEEN, random=0 * SIXTEEN, steps=16)
    given = {
        "stake": 2.0, "even": False, "undone": Measured(0.9, (0.8, 1.0)), "undone_by_episode": 0.9 * SIXTEEN,
        "lost": lost,
    }  # fmt: skip
    return verdict_of(**(given | changes))


def lost(**columns: np.ndarray) -> Lost:
    given = {"other": 2 * SIXTEEN, "top": 2 * SIXTEEN, "random": 0 * SIXTEEN}
    return Lost(**(given | columns), steps=16)


def test_a_map_whose_places_carry_choice_and_return_explains() -> None:
    assert verdict() == "explains"


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"lost": None}, "not_repeatable"),
        ({"stake": 0.01}, "nothing_at_stake"),
        ({"lost": lost(other=NOISE)}, "nothing_at_stake"),
        ({"undone": Measured(0.1, (-0.1, 0.3))}, "not_more_than_random"),
        ({"undone": Measured(0.05, (0.02, 0.08))}, "hardly_more_than_random"),
        ({"lost": lost(top=0 * SIXTEEN)}, "same_return"),
        ({"lost": lost(top=0.1 * SIXTEEN)}, "same_return"),
        ({"even": True}, "even"),
        ({"even": True, "lost": lost(top=0 * SIXTEEN)}, "same_return"),
        # Without an interval the episodes must agree; one that has nearly all of the stake is not enough.
        ({"undone": Measured(0.9), "undone_by_episode": 0.9 * SIXTEEN}, "explains"),
        ({"undone": Measured(0.9), "undone_by_episode": np.array([5.0, *([0.001] * 15)])}, "not_more_than_random"),
    ],
)
def test_the_first_reason_against_it_is_told(changes: dict[str, Any], found: str) -> None:
    assert verdict(**changes) == found
