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
            "Width of the feed-forward layer after each attention layer, as a multiple of a token's. Raised, "
            "a layer can compute more from what it attended to, and costs more; 0: no such layer.",
            label="Feed-forward",
            ge=0,
            le=8,
        ),
    ] = 0


class PoolAttentionOptions(Options, frozen=True):
    heads: Annotated[
        int,
        setting(
            "Heads, each with its own learned query; must divide the width. More can attend to several tokens at once.",
            ge=1,
            le=32,
        ),
    ] = 8
    sharpness: Annotated[
        float,
        setting(
            "Standard deviation of the tokens' scores at the start of training. Raised, each head attends to "
            "few tokens from the start, so that one token among many is not lost in their mean; 0: all "
            "tokens have the same weight at first.",
            ge=0,
            le=10,
        ),
    ] = 3.0


class ActionAttentionOptions(Options, frozen=True):
    heads: Annotated[
        int,
        setting(
            "Heads, each with its own query per action; must divide the width. More can attend to several "
            "tokens at once.",
            ge=1,
            le=32,
        ),
    ] = 4


class EgoAttentionOptions(Options, frozen=True):
    heads: Annotated[
        int,
        setting(
            "Heads, each with its own query from the agent's own token; must divide the width. More can attend to "
            "several tokens at once.",
            ge=1,
            le=32,
        ),
    ] = 2


class RecurrentAttentionOptions(Options, frozen=True):
    heads: Annotated[
        int,
        setting(
            "Heads, each with its own query made from the memory; must divide the width. More can attend to "
            "several tokens at once.",
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
        "Action attention: each action has its own query on the tokens of a step",
        "dqngui.nets.attention.action:ActionAttention",
        ActionAttentionOptions,
        label="action attention",
    ),
    "ego": Entry(
        "Ego attention: the agent's own entity is the query on all entities of a step, such as the vehicles around it",
        "dqngui.nets.attention.ego:EgoAttention",
        EgoAttentionOptions,
        label="ego attention",
    ),
    "recurrent": Entry(
        "Recurrent attention: the memory's last output is the query on the tokens of a step. Slow: it "
        "learns one step at a time",
        "dqngui.nets.attention.recurrent:RecurrentAttention",
        RecurrentAttentionOptions,
        label="recurrent attention",
    ),
}
