"""Legal actions in tensors: preferences among which only legal actions can be chosen."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

Legal = Tensor | NDArray[Any] | None
"""Which actions are legal, (…, A) bool; None: all of them."""


def only_legal(preferences: Tensor, legal: Legal) -> Tensor:
    """Preferences (…, A) with −inf at illegal actions, so that neither a maximum nor a softmax chooses them.

    Args:
        legal: (…, A) bool, which broadcasts to the preferences; None: every action is legal, and the preferences come
            back as they are.
    """
    if legal is None:
        return preferences
    mask = legal if isinstance(legal, Tensor) else torch.from_numpy(legal)
    return preferences.masked_fill(~mask.to(preferences.device), -torch.inf)
