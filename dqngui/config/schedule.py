"""A schedule: a quantity that changes with the steps of a run."""

from __future__ import annotations

from typing import Annotated

import msgspec

from dqngui.schema import Options, setting


class Schedule(Options, frozen=True, omit_defaults=True):
    """A quantity that moves in a straight line from `start` to `end` over `steps` environment steps.

    Start and end lie within the bounds of the setting that has the schedule; the end may also be 0. Where `share` is
    given, `steps` follow from the length of the run (`settings` computes them).
    """

    atomic = True  # the form and the knobs treat a schedule as one setting

    start: Annotated[float, setting("Value at the first step.")]
    end: Annotated[float, setting("Value from `steps` on.")]
    steps: Annotated[int, setting("Environment steps from start to end.", ge=0)]
    share: Annotated[
        float,
        setting("Part of the run's total steps that gives `steps`; 0: `steps` stay as they are given.", ge=0, le=1),
    ] = 0.0

    def at(self, step: int) -> float:
        """Value after `step` environment steps."""
        share = 1.0 if self.steps == 0 else min(1.0, step / self.steps)
        return self.start + share * (self.end - self.start)


def over_run(value: float | Schedule, total_steps: int) -> float | Schedule:
    """The same setting for a run of this length: the steps of a schedule that has a share are computed again."""
    if not isinstance(value, Schedule) or not value.share:
        return value
    return msgspec.structs.replace(value, steps=max(1, round(value.share * total_steps)))


def number(value: float | Schedule) -> float:
    """The number of a setting that may be a schedule, for code that gets the present number in its place
    (`jobs.knobs.Knobs.at`).

    Raises TypeError for a schedule.
    """
    if isinstance(value, Schedule):
        raise TypeError(f"{value} is a schedule, not its present number")
    return value
