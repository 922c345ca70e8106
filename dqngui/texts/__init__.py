"""Every text that a person reads, as a key with arguments, and the sentences that the keys stand for.

Here: `Text`, the catalogs of sentences by language, and the base of errors that a person reads. Not here: the help of
settings, which stands beside each setting in `config` and `catalog`. Imports neither torch nor Qt.
"""

from __future__ import annotations

from dqngui.texts.error import ReadableError
from dqngui.texts.text import Text, reason_of, say, sentence, speak, words

__all__ = ["ReadableError", "Text", "reason_of", "say", "sentence", "speak", "words"]
