"""Wrappers of environments."""

from __future__ import annotations

from typing import Annotated, Literal

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
    ends: Annotated[
        bool,
        setting("The outer bins are the bounds themselves, as full torque; off: the middles of bins of equal width."),
    ] = False


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


class GrayscaleOptions(Options, frozen=True):
    pass


class ResizeOptions(Options, frozen=True):
    rows: Annotated[int, setting("Height of the pictures in pixels.", ge=2, le=2048)] = 84
    columns: Annotated[int, setting("Width of the pictures in pixels.", ge=2, le=2048)] = 84


class FrameSkipOptions(Options, frozen=True):
    frames: Annotated[int, setting("Steps of the environment for which each action is repeated.", ge=1, le=64)] = 4
    brighter: Annotated[
        bool, setting("A picture is the maximum of the last two frames, for games that draw things in turns.")
    ] = True


class StickyActionsOptions(Options, frozen=True):
    probability: Annotated[
        float, setting("Probability that a step repeats the previous action, whatever was chosen.", ge=0, le=0.99)
    ] = 0.25


class NoopStartOptions(Options, frozen=True):
    most: Annotated[int, setting("Largest number of steps without action at the start.", ge=1, le=1000)] = 30


class FireOnResetOptions(Options, frozen=True):
    pass


class LifeLossOptions(Options, frozen=True):
    pass


class ClipRewardOptions(Options, frozen=True):
    to: Annotated[Literal["sign", "limit"], setting("sign: −1, 0 or 1; limit: rewards are cut at ±`limit`.")] = "sign"
    limit: Annotated[float, setting("Largest size of a reward.", gt=0, le=1e6)] = 1.0


class AtariOptions(Options, frozen=True):
    sticky: Annotated[
        float, setting("Probability that a frame repeats the previous action, whatever was chosen.", ge=0, le=0.99)
    ] = 0.25
    noops: Annotated[
        int, setting("Largest number of frames without action at the start, drawn at random.", ge=0, le=1000)
    ] = 0
    fire: Annotated[bool, setting("The fire button is pressed at the start and after each lost life.")] = True
    life_loss: Annotated[bool, setting("A lost life ends what is learned from, but not the episode.")] = False
    frame_skip: Annotated[int, setting("Frames for which each action is repeated.", ge=2, le=64)] = 4
    most_frames: Annotated[int, setting("Episodes are truncated after so many frames.", ge=1, le=100_000_000)] = 108_000
    reward: Annotated[
        Literal["sign", "score"],
        setting("sign: rewards are −1, 0 or 1; score: as the game gives them. The score is measured in both."),
    ] = "sign"
    size: Annotated[int, setting("Height and width of the picture in pixels.", ge=12, le=210)] = 84
    stack: Annotated[int, setting("Number of last pictures joined into one observation.", ge=1, le=64)] = 4


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
    "hide_vehicles": Entry(
        "Hide vehicles of highway-env behind others, or for some steps at random",
        "dqngui.envs.hidden_vehicles:hide_vehicles",
        HideVehiclesOptions,
    ),
    "discretize": Entry("Turn continuous actions into bins", "dqngui.envs.wrappers:discretize", DiscretizeOptions),
    "grayscale": Entry(
        "Turn coloured pictures into grey ones", "dqngui.envs.picture_wrappers:grayscale", GrayscaleOptions
    ),
    "resize": Entry("Change the size of pictures", "dqngui.envs.picture_wrappers:resize", ResizeOptions),
    "frame_skip": Entry(
        "Repeat each action for some frames", "dqngui.envs.picture_wrappers:frame_skip", FrameSkipOptions
    ),
    "sticky_actions": Entry(
        "Repeat the previous action at random", "dqngui.envs.game_wrappers:sticky_actions", StickyActionsOptions
    ),
    "noop_start": Entry(
        "Begin with a random number of no-ops", "dqngui.envs.game_wrappers:noop_start", NoopStartOptions
    ),
    "fire_on_reset": Entry(
        "Press fire where a life begins", "dqngui.envs.game_wrappers:fire_on_reset", FireOnResetOptions
    ),
    "life_loss": Entry("End learning where a life is lost", "dqngui.envs.game_wrappers:life_loss", LifeLossOptions),
    "clip_reward": Entry(
        "Limit rewards, or take their sign", "dqngui.envs.game_wrappers:clip_reward", ClipRewardOptions
    ),
    "atari": Entry("All that is usual for Atari games", "dqngui.envs.atari:atari", AtariOptions),
    "with_picture": Entry(
        "Add the rendered picture to the observation", "dqngui.envs.part_wrappers:with_picture", WithPictureOptions
    ),
    "without_part": Entry(
        "Blank one part of the observation, as a control",
        "dqngui.envs.part_wrappers:without_part",
        WithoutPartOptions,
    ),
}
