"""The labels of views: arrays that are recorded inside a network, named as paths."""

from __future__ import annotations

_WORDS = {
    "self": "self-attention", "pool": "pooling", "hidden": "hidden state", "cell": "cell state",
    "read": "read weights", "write": "write weights", "link": "temporal links",
}  # fmt: skip


def in_words(name: str) -> str:
    """The label of a view: `self-attention, layer 1` for `attention/self/0`."""
    kind, *parts = name.split("/")
    layer = f", layer {int(parts.pop()) + 1}" if parts and parts[-1].isdigit() else ""
    if not parts or parts == ["attention"]:  # the memory's own attention, over past steps
        return kind + layer
    if len(parts) == 1 and kind == "attention" and parts[0] not in _WORDS:
        return f"{parts[0]} attention{layer}"
    words = [_WORDS.get(part, part.replace("_", " ")) for part in parts]
    return " ".join([*words[1:], words[0]]) + layer  # `gate/forget` is the forget gate
