"""The tasks of dqngui; any other gymnasium id works too."""

from __future__ import annotations

from typing import Annotated, Literal

from dqngui.catalog.entry import Entry
from dqngui.schema import Options, setting


class TMazeOptions(Options, frozen=True):
    length: Annotated[int, setting("Steps of corridor between the cue and the junction.", ge=1, le=10_000)] = 30
    active: Annotated[
        bool, setting("The agent walks by itself and may turn back; passive: every action moves forward.")
    ] = False


class RecallOptions(Options, frozen=True):
    delay: Annotated[
        int,
        setting(
            "Steps between the early part, which shows the cues, and the question; more are harder.", ge=0, le=10_000
        ),
    ] = 20
    symbols: Annotated[
        int, setting("Number of different symbols; a random guess is right with probability 1 / symbols.", ge=2, le=64)
    ] = 4
    cues: Annotated[
        int,
        setting(
            "Symbols to remember in their order; one of them is asked for. More are harder to remember.", ge=1, le=64
        ),
    ] = 1
    spread: Annotated[
        int, setting("Other early steps that the cues are mixed with at random; 0 shows the cues first.", ge=0, le=1000)
    ] = 4
    distractors: Annotated[
        float, setting("Share of the other steps that show a symbol which must not be remembered.", ge=0, le=1)
    ] = 1.0
    discrete: Annotated[bool, setting("The observation is two categories instead of numbers.")] = False


class PeriodicOptions(Options, frozen=True):
    period: Annotated[
        int, setting("Steps after which the changes repeat, and which must be remembered.", ge=1, le=1000)
    ] = 8
    noise: Annotated[
        float, setting("Standard deviation of the noise in every change; the season's own is 1.", ge=0, le=100)
    ] = 0.1
    steps: Annotated[int, setting("Steps of an episode.", ge=1, le=100_000)] = 64
    price: Annotated[bool, setting("The agent sees the price, the sum of all changes, and not the change.")] = False
    reward: Annotated[
        Literal["sign", "profit"],
        setting("sign: +1 if the position has the side of the next change, else −1; profit: what the position earns."),
    ] = "sign"


class FindOptions(Options, frozen=True):
    entities: Annotated[
        int, setting("Entities in sight; all but one only distract. More are harder.", ge=1, le=256)
    ] = 16
    relevant: Annotated[
        Literal["loudest", "match", "recall"],
        setting(
            "What marks the relevant entity. loudest: its loudness is the largest; match: its name is shown "
            "at every step; recall: its name is shown at the first step only."
        ),
    ] = "loudest"
    name: Annotated[int, setting("Bits of an entity's name; more make names easier to tell apart.", ge=1, le=30)] = 8
    fewest: Annotated[
        int,
        setting("Entities present at least; how many there are is drawn at every step. More are harder.", ge=1, le=256),
    ] = 1
    steps: Annotated[int, setting("Steps of an episode.", ge=1, le=10_000)] = 8


class CatchOptions(Options, frozen=True):
    rows: Annotated[int, setting("Height of the picture in pixels, and steps of an episode.", ge=2, le=256)] = 10
    columns: Annotated[int, setting("Width of the picture in pixels.", ge=1, le=256)] = 9
    blind: Annotated[
        int, setting("Lowest rows that do not show the ball; with more it must be remembered for longer.", ge=0, le=255)
    ] = 0


class TradingOptions(Options, frozen=True):
    prices: Annotated[
        str,
        setting(
            "sp500 or nasdaq (daily, 1999–2018, from the package arch), the path of a CSV file with dates and closes, "
            "or seasonal: made-up prices with a hidden season."
        ),
    ] = "seasonal"
    window: Annotated[
        int, setting("Latest changes of the price that the agent sees; with 1 it must remember them.", ge=1, le=512)
    ] = 1
    steps: Annotated[int, setting("Bars of an episode; 252 are a year of trading days.", ge=2, le=10_000)] = 252
    short: Annotated[bool, setting("The agent may sell short as well.")] = True
    cost: Annotated[float, setting("Fee of a trade, in basis points of its value.", ge=0, le=100)] = 1.0
    slippage: Annotated[
        float, setting("How much worse than the next open an order is filled, in basis points.", ge=0, le=100)
    ] = 1.0
    folds: Annotated[
        int,
        setting("Walk-forward folds: the last 40 % of the bars are cut into one block more than this.", ge=1, le=20),
    ] = 1
    fold: Annotated[
        int, setting("Which fold, from 0: it trains on all that lies before its block of selection.", ge=0, le=19)
    ] = 0


class MinAtarOptions(Options, frozen=True):
    game: Annotated[
        Literal["asterix", "breakout", "freeway", "seaquest", "space_invaders"], setting("Which of the games.")
    ] = "breakout"
    sticky: Annotated[
        float,
        setting(
            "Probability that a step repeats the previous action, whatever was chosen. More is harder.", ge=0, le=0.99
        ),
    ] = 0.1
    ramping: Annotated[bool, setting("SpaceInvaders, Asterix and Seaquest become faster as an episode goes on.")] = True
    actions: Annotated[
        Literal["minimal", "all"], setting("minimal: only actions that do something in the game; all: six in each.")
    ] = "minimal"


class SensesOptions(Options, frozen=True):
    moves: Annotated[
        int,
        setting(
            "Moves that the sentence may ask for: 1 to the thing; 2 also across from it; 3 also beside it; 4 also over "
            "or under it. With more, less can be guessed without the sentence, and it is learned more slowly.",
            ge=1,
            le=4,
        ),
    ] = 1
    steps: Annotated[int, setting("Steps of an episode.", ge=1, le=10_000)] = 8


TASKS = {
    "dqngui/TMaze-v0": Entry(
        "T-maze: a cue at the start says which way to turn at the end of the corridor",
        "dqngui.envs.tmaze:TMaze",
        TMazeOptions,
    ),
    "dqngui/Recall-v0": Entry(
        "Recall: symbols shown early among distractors are asked for late", "dqngui.envs.recall:Recall", RecallOptions
    ),
    "dqngui/Periodic-v0": Entry(
        "A market with a hidden season: will the next change be up or down?",
        "dqngui.envs.periodic:Periodic",
        PeriodicOptions,
    ),
    "dqngui/Find-v0": Entry(
        "One of many entities tells where to go, the others distract", "dqngui.envs.find:Find", FindOptions
    ),
    "dqngui/Catch-v0": Entry(
        "A ball falls down a small picture, perhaps out of sight, and a paddle must catch it",
        "dqngui.envs.catch:Catch",
        CatchOptions,
    ),
    "dqngui/Trading-v0": Entry(
        "Daily prices, costs and an account: when to hold, to leave or to sell short",
        "dqngui.envs.trading.market:Trading",
        TradingOptions,
    ),
    "dqngui/MinAtar-v0": Entry(
        "MinAtar: five small Atari games of 10 × 10 cells (needs the package MinAtar)",
        "dqngui.envs.minatar_games:MinAtar",
        MinAtarOptions,
    ),
    "dqngui/Senses-v0": Entry(
        "A picture, a sound and a sentence together say where to go; no two of them do",
        "dqngui.envs.senses:Senses",
        SensesOptions,
    ),
}
