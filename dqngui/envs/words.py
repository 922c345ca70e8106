"""Texts as numbers: a word's id is a hash of it, so that every run on every machine agrees without a vocabulary."""

from __future__ import annotations

import re
import zlib
from functools import lru_cache

import numpy as np
import numpy.typing as npt

VOCABULARY = 1024
"""Ids there are, 0 for no word: few enough for a table that learns, many enough that a task's words rarely meet."""
MOST_WORDS = 32
"""Words of a text that are kept, from its beginning."""

_WORD = re.compile(r"\w+|[^\w\s]")


@lru_cache(maxsize=4096)  # most tasks say the same few sentences at every step
def word_ids(text: str) -> npt.NDArray[np.int32]:
    """Ids of a text's words, (MOST_WORDS,), 1 and up, then zeros. Case does not count; read only."""
    ids = np.zeros(MOST_WORDS, np.int32)
    for index, word in enumerate(_WORD.findall(text.lower())[:MOST_WORDS]):
        ids[index] = 1 + zlib.crc32(word.encode()) % (VOCABULARY - 1)
    ids.flags.writeable = False
    return ids
