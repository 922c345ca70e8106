"""Attentions over the tokens of one step."""

from __future__ import annotations

from typing import Annotated

from dqngui.catalog.entry import Entry
from dqngui.schema import Options, setting


class SelfAttentionOptions(Options, frozen=True):
    heads: Annotated[int, setting("Attention heads; must divide the width.", ge=1, le=32)] = 4
    layers: Annotated[int, setting("Attention layers; more see higher-order relations and cost more.", ge=1, le=8)] = 1
    widening: Annotated[
        int,
        setting(
            "A feed-forward layer, so many times as wide as a token, follows each attention layer. Raised, a layer can "
            "compute more from what it gathered, and costs more; 0: none.",
            label="Feed-forward",
            ge=0,
            le=8,
        ),
    ] = 0


class PoolAttentionOptions(Options, frozen=True):
    heads: Annotated[
        int,
        setting("Learned questions; must divide the width. More let it look at several tokens at once.", ge=1, le=32),
    ] = 8
    sharpness: Annotated[
        float,
        setting(
            "How far the scores of tokens differ at first (standard deviation). Raised, each head looks at few tokens "
            "from the start, so that what one of many says is not lost in their mean; 0: at all alike.",
            ge=0,
            le=10,
        ),
    ] = 3.0


class ActionAttentionOptions(Options, frozen=True):
    heads: Annotated[
        int,
        setting(
            "Questions that an action asks at once; must divide the width. More let it look at several tokens.",
            ge=1,
            le=32,
        ),
    ] = 4


class RecurrentAttentionOptions(Options, frozen=True):
    heads: Annotated[
        int,
        setting(
            "Questions that the memory asks at once; must divide the width. More let it look at several tokens.",
            ge=1,
            le=32,
        ),
    ] = 4


ATTENTIONS = {
    "none": Entry(
        "No attention: tokens are joined by one linear layer",
        "dqngui.nets.attention.none:NoAttention",
        label="no attention",
    ),
    "self": Entry(
        "Multi-head self-attention over the tokens of a step, pooled by a learned query",
        "dqngui.nets.attention.self_attention:SelfAttention",
        SelfAttentionOptions,
        label="self-attention",
    ),
    "pool": Entry(
        "Attention pooling: each head weighs the tokens of a step by a learned query. Cheap also for many tokens",
        "dqngui.nets.attention.pooling:PoolAttention",
        PoolAttentionOptions,
        label="attention pooling",
    ),
    "action": Entry(
        "Action attention: each action asks the tokens of a step a question of its own",
        "dqngui.nets.attention.action:ActionAttention",
        ActionAttentionOptions,
        label="action attention",
    ),
    "recurrent": Entry(
        "Recurrent attention: the memory's last output asks the tokens of a step. Slow: it learns a step at a time",
        "dqngui.nets.attention.recurrent:RecurrentAttention",
        RecurrentAttentionOptions,
        label="recurrent attention",
    ),
}
