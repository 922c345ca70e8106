"""What dqngui says about what happened: keys with arguments, and their sentences. No labels and tooltips of widgets.

Here: `Text`, the catalogs of sentences by language, and the base of errors that a person reads. Not here: the help of
settings, which stands beside each setting in `config` and `catalog`. Imports neither torch nor Qt.
"""

from __future__ import annotations

from dqngui.texts.error import ReadableError
from dqngui.texts.text import Text, reason_of, say, sentence, speak, words

__all__ = ["ReadableError", "Text", "reason_of", "say", "sentence", "speak", "words"]
