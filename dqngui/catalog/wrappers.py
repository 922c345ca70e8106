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


class WithPictureOptions(Options, frozen=True):
    side: Annotated[
        int,
        setting(
            "Rows and columns of the picture that is added. More show smaller things, and are slower.", ge=5, le=256
        ),
    ] = 48
    colour: Annotated[bool, setting("The picture has colours; without them it is grey, and quicker to learn.")] = False


class WithoutPartOptions(Options, frozen=True):
    part: Annotated[str, setting("The part of the observation that is blank, by its key in the dictionary.")] = (
        "observation"
    )


WRAPPERS = {
    "keep": Entry("Keep only some entries of the observation", "dqngui.envs.wrappers:keep", KeepOptions),
    "frame_stack": Entry("Join the last observations", "dqngui.envs.wrappers:frame_stack", FrameStackOptions),
    "reward_scale": Entry("Multiply every reward", "dqngui.envs.wrappers:reward_scale", RewardScaleOptions),
    "time_limit": Entry("Truncate long episodes", "dqngui.envs.wrappers:time_limit", TimeLimitOptions),
    "discretize": Entry("Turn continuous actions into bins", "dqngui.envs.wrappers:discretize", DiscretizeOptions),
    "with_picture": Entry(
        "Add the rendered picture to the observation", "dqngui.envs.part_wrappers:with_picture", WithPictureOptions
    ),
    "without_part": Entry(
        "Blank one part of the observation, as a control",
        "dqngui.envs.part_wrappers:without_part",
        WithoutPartOptions,
    ),
}
