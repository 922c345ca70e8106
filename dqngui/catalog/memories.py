"""Memories over the steps of an episode."""

from __future__ import annotations

from typing import Annotated, Literal

from dqngui.catalog.entry import Entry
from dqngui.schema import Options, setting


class RecurrentOptions(Options, frozen=True):
    chrono: Annotated[
        int,
        setting(
            "Longest time, in steps, that the gates are initialised to remember (chrono initialisation); "
            "0 keeps the usual initialisation. Raise it to the length of what must be remembered.",
            label="Chrono horizon",
            ge=0,
            le=100_000,
        ),
    ] = 0


class TransformerOptions(Options, frozen=True):
    heads: Annotated[int, setting("Attention heads; must divide the width.", ge=1, le=32)] = 4
    layers: Annotated[
        int, setting("Transformer layers; each sees the last `length` outputs of the one below.", ge=1, le=8)
    ] = 1
    length: Annotated[int, setting("Steps a layer looks back over, the present one included.", ge=2, le=4096)] = 16
    gate: Annotated[
        Literal["none", "gru"],
        setting(
            "How a layer's output is joined to its input: none adds them (pre-norm); gru weighs them by "
            "gates (GTrXL), which is steadier with several layers and costs about half as much again.",
        ),
    ] = "none"
    dropout: Annotated[
        float,
        setting(
            "Share of each layer's outputs that learning leaves out at random. Raised, the memory overfits "
            "less and learns more slowly.",
            ge=0,
            lt=1,
        ),
    ] = 0.0

    @property
    def context(self) -> int:
        """Past steps that an output can depend on."""
        return self.layers * (self.length - 1)


class MannOptions(Options, frozen=True):
    slots: Annotated[
        int, setting("Places of the external memory. More hold more things at once, and cost more.", ge=2, le=512)
    ] = 16
    slot_width: Annotated[
        int, setting("Numbers that a slot holds. More can tell more things apart, and cost more.", ge=2, le=512)
    ] = 16
    read_heads: Annotated[
        int, setting("Heads that read. More look at several places in one step, and cost more.", ge=1, le=16)
    ] = 1
    write_heads: Annotated[
        int, setting("Heads that write. More write to several places in one step, and cost more.", ge=1, le=8)
    ] = 1
    shift: Annotated[
        int,
        setting(
            "Slots by which a head may move in one step, either way. Raised, heads move faster and take "
            "longer to learn where to go; 0 leaves addressing by content only.",
            ge=0,
            le=8,
        ),
    ] = 1
    chrono: Annotated[
        int,
        setting(
            "Longest time, in steps, that the controller's gates are initialised to remember; 0 keeps the usual "
            "initialisation. Raise it to the length of what must be remembered.",
            label="Chrono horizon",
            ge=0,
            le=100_000,
        ),
    ] = 0


class LRUOptions(Options, frozen=True):
    layers: Annotated[int, setting("Recurrent layers; more can combine what the ones below remember.", ge=1, le=8)] = 1
    chrono: Annotated[
        int,
        setting(
            "Longest time, in steps, that units are initialised to remember; 0: the radius decides. "
            "Raise it to the length of what must be remembered.",
            label="Chrono horizon",
            ge=0,
            le=100_000,
        ),
    ] = 0
    max_radius: Annotated[
        float,
        setting(
            "Largest |λ| at the start, where there is no chrono horizon: the eigenvalues fill a disc. A unit holds "
            "what it saw for about 1 / (1 − |λ|) steps.",
            advanced=True,
            gt=0,
            le=0.9999,
        ),
    ] = 0.99
    max_turn: Annotated[
        float,
        setting(
            "Largest angle of λ at the start, as a share of a full circle per step. Lower prefers slow changes.",
            advanced=True,
            gt=0,
            le=1,
        ),
    ] = 1.0


class MinGRUOptions(RecurrentOptions, frozen=True):
    layers: Annotated[
        int, setting("Recurrent layers. The gates of a layer see the past only through the layers below.", ge=1, le=8)
    ] = 1


class DncOptions(Options, frozen=True):
    slots: Annotated[
        int,
        setting(
            "Places of the external memory. More hold more things; the cost grows with their square.", ge=2, le=256
        ),
    ] = 16
    slot_width: Annotated[
        int, setting("Numbers that a slot holds. More can tell more things apart, and cost more.", ge=2, le=512)
    ] = 16
    read_heads: Annotated[
        int, setting("Heads that read. More look at several places in one step, and cost more.", ge=1, le=16)
    ] = 1
    chrono: Annotated[
        int,
        setting(
            "Longest time, in steps, that the controller's gates are initialised to remember; 0 keeps the usual "
            "initialisation. Raise it to the length of what must be remembered.",
            label="Chrono horizon",
            ge=0,
            le=100_000,
        ),
    ] = 0


class SarimaOptions(Options, frozen=True):
    p: Annotated[
        int, setting("Autoregressive order: number of last observations that the forecast uses.", ge=0, le=100)
    ] = 2
    d: Annotated[
        int,
        setting(
            "Number of times that differences are computed. 1 forecasts changes instead of values, 2 changes of "
            "changes: for series that drift or follow a trend.",
            ge=0,
            le=2,
        ),
    ] = 0
    q: Annotated[
        int,
        setting("Moving average order: number of its own last errors that the forecast uses.", ge=0, le=100),
    ] = 1
    seasonal_p: Annotated[
        int, setting("Number of earlier seasons whose observations the forecast uses.", label="Seasonal p", ge=0, le=10)
    ] = 1
    seasonal_d: Annotated[
        int,
        setting(
            "Number of times that differences to the season before are computed: for a pattern that stays the same. "
            "The memory then forecasts changes from season to season.",
            label="Seasonal d",
            ge=0,
            le=2,
        ),
    ] = 0
    seasonal_q: Annotated[
        int,
        setting("Number of earlier seasons whose forecast errors the forecast uses.", label="Seasonal q", ge=0, le=10),
    ] = 0
    season: Annotated[
        int, setting("Length of a season, after which the pattern repeats.", unit="steps", ge=2, le=1000)
    ] = 12


MEMORIES = {
    "none": Entry(
        "No memory: the agent sees the present step only", "dqngui.nets.memory.none:NoMemory", label="no memory"
    ),
    "lstm": Entry("Long short-term memory", "dqngui.nets.memory.lstm:LSTM", RecurrentOptions, label="LSTM"),
    "gru": Entry("Gated recurrent unit", "dqngui.nets.memory.gru:GRU", RecurrentOptions, label="GRU"),
    "transformer": Entry(
        "Causal transformer over the last steps, with relative positions",
        "dqngui.nets.memory.transformer:Transformer",
        TransformerOptions,
        label="transformer",
    ),
    "mann": Entry(
        "Neural Turing machine: an LSTM that reads and writes an external memory",
        "dqngui.nets.memory.mann:MANN",
        MannOptions,
        label="MANN",
    ),
    "sarima": Entry(
        "SARIMA: a linear forecast of each observed number, with seasons, trained by its own error",
        "dqngui.nets.memory.sarima:Sarima",
        SarimaOptions,
        label="SARIMA",
    ),
    "dnc": Entry(
        "Differentiable neural computer: an external memory that tracks free slots and the order of writing",
        "dqngui.nets.memory.dnc:DNC",
        DncOptions,
        label="DNC",
    ),
    "lru": Entry(
        "Linear recurrent unit: a diagonal complex recurrence, trained by a parallel scan",
        "dqngui.nets.memory.lru:LRU",
        LRUOptions,
        label="LRU",
    ),
    "mingru": Entry(
        "Minimal GRU: gates see the present input only, trained by a parallel scan",
        "dqngui.nets.memory.mingru:MinGRU",
        MinGRUOptions,
        label="minGRU",
    ),
}
