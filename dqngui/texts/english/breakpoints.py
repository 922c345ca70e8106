"""Names of measured quantities, and what is said about breakpoints on them."""

from __future__ import annotations

from dqngui.texts.language import Plural

TEMPLATES: dict[str, str | Plural] = {
    "quantity.return": "return",
    "quantity.evaluation": "evaluation",
    "quantity.loss": "loss",
    "quantity.td_error": "TD error",
    "quantity.q_mean": "mean q",
    "quantity.grad_norm": "gradient norm",
    "quantity.epsilon": "exploration ε",
    "quantity.policy_loss": "policy loss",
    "quantity.value_error": "value error",
    "quantity.entropy": "policy entropy",
    "quantity.kl": "KL divergence",
    "quantity.clip_share": "clipped share",
    "quantity.explained": "explained variance",
    "quantity.attention_entropy": "attention entropy",
    "quantity.memory_saturation": "memory saturation",
    "number.nan": "not a number",
    "number.infinite": "infinite",
    "breakpoint.above": "{quantity} above {limit}",
    "breakpoint.below": "{quantity} below {limit}",
    "breakpoint.nan": "{quantity} not finite",
    "breakpoint.rose": "{quantity} rose above {limit} ({value})",
    "breakpoint.fell": "{quantity} fell below {limit} ({value})",
    "breakpoint.became": "{quantity} became {value}",
    "breakpoint.hit_at": "{hit} at step {step:,}",
    "breakpoint.paused": "Paused: {hits}.",
    "breakpoint.stored": (
        "This run is stored and does not train, so breakpoints cannot pause it. Resume it, or start a new run."
    ),
}
