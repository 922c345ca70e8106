"""The settings that only PPO uses, as types with bounds and help; `LearnConfig` lists them with their defaults."""

from __future__ import annotations

from typing import Annotated

from dqngui.schema import setting

Rollout = Annotated[
    int,
    setting(
        "Steps of each environment between updates of the policy. More give steadier gradients and fewer updates.",
        unit="steps",
        live=True,
        log=True,
        ge=1,
        le=65_536,
    ),
]

Epochs = Annotated[
    int,
    setting(
        "Passes over the rollout in each update. More learn more from each step, and move further from "
        "the policy that acted.",
        live=True,
        log=True,
        ge=1,
        le=100,
    ),
]

Clip = Annotated[
    float,
    setting(
        "How far an action's probability may move in one update, as a share of what it was. Higher learns faster "
        "and less steadily.",
        label="Clip range",
        live=True,
        log=True,
        gt=0,
        le=10,
    ),
]

TargetKl = Annotated[
    float,
    setting(
        "KL divergence, in nats, between the policy that acted and the present one at which the remaining epochs of an "
        "update are left out. Raised, the policy may move further in one update; 0 never stops.",
        label="KL limit",
        unit="nats",
        live=True,
        log=True,
        ge=0,
        le=10,
    ),
]

GaeLambda = Annotated[
    float,
    setting(
        "How long real rewards count before the critic's estimate takes over. Higher means less bias and more noise.",
        label="Trace λ",
        live=True,
        ge=0,
        le=1,
    ),
]

EntropyWeight = Annotated[
    float,
    setting(
        "Weight of the bonus for the policy's entropy. Higher explores for longer and exploits less.",
        label="Entropy weight",
        live=True,
        log=True,
        ge=0,
        le=10,
    ),
]

ValueWeight = Annotated[
    float,
    setting(
        "Weight of the critic's loss relative to the policy's. Higher fits values better and improves "
        "the policy more slowly.",
        label="Value weight",
        live=True,
        log=True,
        ge=0,
        le=100,
    ),
]

ValueClip = Annotated[
    bool,
    setting(
        "The critic's values, too, may change only by the clip range in one update.",
        label="Clip values",
        advanced=True,
    ),
]

NormaliseAdvantages = Annotated[
    bool,
    setting(
        "Advantages are scaled to mean 0 and standard deviation 1 in every minibatch, so that the size "
        "of rewards matters less.",
        label="Normalise advantages",
        advanced=True,
    ),
]
