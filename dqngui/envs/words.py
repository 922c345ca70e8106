"""Texts as word ids: a word's id is a hash of it, so it is the same in every run and needs no vocabulary file."""

from __future__ import annotations

import re
import zlib
from functools import lru_cache

import numpy as np
import numpy.typing as npt

VOCABULARY = 1024
"""Number of ids, with 0 for no word: few enough for an embedding table, enough that a task's words rarely collide."""
MOST_WORDS = 32
"""Number of words that are kept, from the beginning of a text."""

_WORD = re.compile(r"\w+|[^\w\s]")


@lru_cache(maxsize=4096)  # most tasks show the same few sentences at every step
def word_ids(text: str) -> npt.NDArray[np.int32]:
    """Ids of a text's words, (MOST_WORDS,), at least 1, then zeros. Case is ignored; the array is read only."""
    ids = np.zeros(MOST_WORDS, np.int32)
    for index, word in enumerate(_WORD.findall(text.lower())[:MOST_WORDS]):
        ids[index] = 1 + zlib.crc32(word.encode()) % (VOCABULARY - 1)
    ids.flags.writeable = False
    return ids
