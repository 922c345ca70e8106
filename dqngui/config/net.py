"""The settings of the network: encoder, attention, memory, head."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from dqngui.schema import Options, setting


class NetConfig(Options, frozen=True):
    """The settings of the network: encoder, attention, memory, head."""

    attention: Annotated[str, setting("How the parts of one observation are weighed.")] = "self"
    attention_options: Annotated[dict[str, Any], setting("Settings of the attention.", advanced=True)] = {}
    memory: Annotated[str, setting("What carries information from step to step.")] = "gru"
    memory_options: Annotated[dict[str, Any], setting("Settings of the memory.", advanced=True)] = {}
    width: Annotated[
        int, setting("Size of a token and of the memory. More can represent more and costs more.", ge=4, le=4096)
    ] = 64
    horizon: Annotated[
        int,
        setting(
            "How many steps back the task asks the agent to remember; 0: unknown. Raised, a memory's gates "
            "keep information for longer at first and a transformer looks back further, unless the memory's "
            "own options say otherwise.",
            label="Memory horizon",
            unit="steps",
            ge=0,
            le=100_000,
        ),
    ] = 0
    hidden: Annotated[
        tuple[Annotated[int, msgspec.Meta(ge=1, le=8192)], ...],
        setting("Sizes of the encoder's hidden layers before the token.", label="Encoder layers", advanced=True),
    ] = ()
    tokens: Annotated[
        Literal["one", "feature"],
        setting(
            "What a token is. one: each part of the observation; feature: every feature, cell of a grid, "
            "region of a picture and entity (attention then weighs them, and costs more)."
        ),
    ] = "feature"
    standardise: Annotated[
        bool,
        setting(
            "Observed numbers are learned as distances from their mean in standard deviations, measured while the run "
            "trains, so that their units make no difference. Categories, bits and pictures stay as they are.",
            label="Standardised numbers",
            advanced=True,
        ),
    ] = True
    convolutions: Annotated[
        Literal["one", "three"],
        setting(
            "How many convolutions read a picture of fewer than 24 pixels a side that is one token. Three relate "
            "pixels that lie further apart and cost several times more. All other pictures get three.",
            label="Convolutions",
            advanced=True,
        ),
    ] = "one"
    shortcut: Annotated[
        bool,
        setting(
            "The head sees the present observation beside the memory's output, through one layer, so that the memory "
            "need not carry the present. Off, everything passes through the memory.",
            label="Memory shortcut",
            advanced=True,
        ),
    ] = True
    head: Annotated[
        Literal["linear", "dueling"], setting("Dueling splits the action values into a state value and advantages.")
    ] = "linear"
    values: Annotated[
        Literal["mean", "categorical", "quantile"],
        setting(
            "What the head learns of the return: its mean, the probabilities of fixed returns (C51), or its "
            "quantiles (QR-DQN). A distribution learns more from each step and costs a little more.",
            label="Returns as",
        ),
    ] = "mean"
    atoms: Annotated[
        int,
        setting(
            "Number of returns or quantiles in a distribution. More describe it more finely and cost more.",
            log=True,
            ge=2,
            le=1024,
        ),
    ] = 51
    v_min: Annotated[
        float,
        setting(
            "Smallest return of the distribution, discounted and with rewards scaled. Lower covers worse "
            "returns and leaves fewer atoms for the others.",
            label="Lowest return",
            ge=-1e6,
            le=1e6,
        ),
    ] = -10.0
    v_max: Annotated[
        float,
        setting(
            "Largest return of the distribution, discounted and with rewards scaled. Higher covers better "
            "returns and leaves fewer atoms for the others.",
            label="Highest return",
            ge=-1e6,
            le=1e6,
        ),
    ] = 10.0
    noisy: Annotated[
        bool,
        setting(
            "The head's weights get learned noise, drawn anew at every step. The agent then explores without "
            "random actions, so ε can be 0. Evaluation and playing use the weights without noise.",
            label="Noisy head",
        ),
    ] = False
    noise: Annotated[
        float,
        setting("How large the noise is at first. Raised, the agent explores more and for longer.", gt=0, le=10),
    ] = 0.5
    dropout: Annotated[
        float,
        setting(
            "Share of the features that each update leaves out at random before the head. Raised, the network relies "
            "less on any of them and learns more slowly; acting uses all.",
            ge=0,
            le=0.9,
        ),
    ] = 0.0
    predictor: Annotated[
        bool,
        setting(
            "A second head predicts the next observation from the memory's output and the action, so that the "
            "memory also learns from what it sees and not from rewards alone.",
            label="Next-observation head",
        ),
    ] = False
    previous_action: Annotated[
        bool,
        setting(
            "The agent also sees its previous action. Even an agent without memory can then remember "
            "something, by encoding what it saw in its actions.",
            advanced=True,
        ),
    ] = True
    previous_reward: Annotated[bool, setting("The agent also sees the previous reward.", advanced=True)] = True
