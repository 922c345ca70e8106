"""Facts about a task that were measured before a run; settings that nobody chose are derived from them."""

from __future__ import annotations

from dqngui.schema import Options


class ObservationFacts(Options, frozen=True, kw_only=True):
    """What an environment shows at every step; sizes of the network and the replay are derived from it.

    Attributes:
        parts: number of parts of the observation.
        only_numbers: every part is a few numbers or categories, none a picture, a grid, a text or a table.
        numbers: entries of all vectors.
        categories: sum of the numbers of categories of all discrete entries.
        rows: rows of all tables.
        row_numbers: entries of all tables.
        maps: number of pictures and grids.
        picture_side: pixels on the shorter side of the picture in which it is longest; 0 without a picture.
        step_bytes: bytes of one stored step; each frame of a stack counts once.
    """

    parts: int
    only_numbers: bool
    numbers: int
    categories: int
    rows: int
    row_numbers: int
    maps: int
    picture_side: int
    step_bytes: int


class TaskFacts(Options, frozen=True, kw_only=True):
    """What is known about a task before a run. Everything about episodes is of random actions.

    Attributes:
        steps: steps that were played.
        time_limit: steps after which the environment cuts an episode, by its specification, a wrapper or its own
            attribute; None if it does not say.
        episodes: number of episodes that ended.
        shortest, median, longest: steps of the episodes that ended; None without any.
        unfinished: steps of the last episode, which had not ended; 0 if it had.
        terminated: number of episodes that ended by termination; the others were truncated.
        rewarded: share of the steps with a reward other than 0.
        reward_at_end: some episode ended with a reward, and no other step had one.
        reward_low, reward_high: smallest and largest reward.
        mean_return: mean sum of rewards over the episodes that ended; None without any.
        bounded: every number of the observation has bounds.
        largest_number: largest absolute value of the vectors, rows and entities that were seen.
        constant_parts: names of the observation parts that were the same at every step of every episode.
        deterministic: episodes with different seeds and equal actions showed no difference; see `Repetition`.
        compared_steps: number of steps in which that was looked for, after 2 to 16 first observations.
        single_episodes, single_found: more random episodes, which are played where those above neither terminated nor
            met two different rewards, until one of them does, and how many did; 0 where none were played.
        held_episodes, held_found: where none did, the same of random actions that are held for some steps
            (`envs.held_actions`).
        added_wrappers: names of the wrappers that were added because without them no agent could use the task.
        left_out: names of the observation's parts that an added wrapper leaves out, because no network reads them.
        single: only one such environment can be made at a time.
        strayed: the first number that was seen outside the bounds of its part: the part's name, the number and the two
            bounds; None: there was none.
        steps_per_second: steps of one environment in a second of the clock, with its resets.
        observation: what each step shows; None in runs of earlier versions.
    """

    steps: int
    time_limit: int | None = None
    episodes: int
    shortest: int | None = None
    median: int | None = None
    longest: int | None = None
    unfinished: int
    terminated: int
    rewarded: float
    reward_at_end: bool
    reward_low: float
    reward_high: float
    mean_return: float | None = None
    bounded: bool
    largest_number: float
    constant_parts: tuple[str, ...]
    deterministic: bool
    compared_steps: int
    steps_per_second: float
    single_episodes: int = 0
    single_found: int = 0
    held_episodes: int = 0
    held_found: int = 0
    added_wrappers: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    single: bool = False
    strayed: tuple[str, float, float, float] | None = None
    observation: ObservationFacts | None = None
