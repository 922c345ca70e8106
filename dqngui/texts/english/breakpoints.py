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
    "number.expected": "expected a number, such as 0.5 or 1e-3",
    "number.expected_whole": "expected a whole number, such as 10,000",
    "number.two_readings": "`{given}` may be {one} or {other}: write one of the two",
    "number.too_large": "`{given}` is too large",
    "number.too_small": "`{given}` is too near to 0: write 0 or a larger number",
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
