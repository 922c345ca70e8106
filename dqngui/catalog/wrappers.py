"""Wrappers of environments."""

from __future__ import annotations

from typing import Annotated

from dqngui.catalog.entry import Entry
from dqngui.schema import Options, setting


class KeepOptions(Options, frozen=True):
    entries: Annotated[
        list[int | str],
        setting("Observation entries to keep: indices of a vector, or keys of a dictionary."),
    ]


class FrameStackOptions(Options, frozen=True):
    frames: Annotated[int, setting("Number of last observations joined into one.", ge=2, le=64)] = 4


class RewardScaleOptions(Options, frozen=True):
    factor: Annotated[float, setting("Every reward is multiplied by it.")] = 1.0


class TimeLimitOptions(Options, frozen=True):
    steps: Annotated[int, setting("Episodes are truncated after so many steps.", ge=1)] = 500


class DiscretizeOptions(Options, frozen=True):
    bins: Annotated[
        int | list[int], setting("Bins an action dimension is cut into: one number, or one a dimension.")
    ] = 5


class HideVehiclesOptions(Options, frozen=True):
    shadow: Annotated[
        float,
        setting(
            "Width of what a vehicle covers: another one whose line of sight passes within half of it is hidden. "
            "Raised, more vehicles are hidden; 0: none behind another one.",
            unit="m",
            ge=0,
            le=20,
        ),
    ] = 2.0
    chance: Annotated[
        float,
        setting(
            "Probability at each step that a vehicle in sight is lost from sight. Raised, more must be remembered.",
            ge=0,
            le=1,
        ),
    ] = 0.0
    steps: Annotated[int, setting("For so many steps a lost vehicle is hidden.", unit="steps", ge=1, le=1000)] = 3


WRAPPERS = {
    "keep": Entry("Keep only some entries of the observation", "dqngui.envs.wrappers:keep", KeepOptions),
    "frame_stack": Entry("Join the last observations", "dqngui.envs.wrappers:frame_stack", FrameStackOptions),
    "reward_scale": Entry("Multiply every reward", "dqngui.envs.wrappers:reward_scale", RewardScaleOptions),
    "time_limit": Entry("Truncate long episodes", "dqngui.envs.wrappers:time_limit", TimeLimitOptions),
    "hide_vehicles": Entry(
        "Hide vehicles of highway-env behind others, or for some steps at random",
        "dqngui.envs.hidden_vehicles:hide_vehicles",
        HideVehiclesOptions,
    ),
    "discretize": Entry("Turn continuous actions into bins", "dqngui.envs.wrappers:discretize", DiscretizeOptions),
}
