"""Prints on consoles that lack a sign: what their encoding cannot hold is written with other signs, so nothing dies."""

from __future__ import annotations

import codecs
import sys
import unicodedata
from typing import TextIO

HANDLER = "dqngui.plain"
_SIGNS = {
    "–": "-", "—": "-", "−": "-", "‑": "-", "·": "-", "•": "*", "…": "...", "→": "->", "←": "<-", "↔": "<->",
    "≥": ">=", "≤": "<=", "≠": "!=", "≈": "~", "×": "x", "±": "+/-", "∞": "inf", "√": "sqrt", "°": " degrees",
    "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "█": "#", "▓": "#", "░": ".", "⌘": "Cmd",
    "│": "|", "┃": "|", "─": "-", "━": "-", "╭": "+", "╮": "+", "╰": "+", "╯": "+",
    "\u00a0": " ", "\u2007": " ", "\u2009": " ", "\u202f": " ",
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "η": "eta", "θ": "theta", "κ": "kappa",
    "λ": "lambda", "μ": "mu", "ρ": "rho", "σ": "sigma", "τ": "tau", "Δ": "Delta", "Σ": "Sigma",
}  # fmt: skip


def in_ascii(sign: str) -> str:
    """ASCII for one sign: a similar one, a letter without its accent, or its number (`\\u4e2d`, `\\udce4`)."""
    if sign in _SIGNS:
        return _SIGNS[sign]
    if unicodedata.category(sign).startswith("L"):
        letters = "".join(each for each in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(each))
        if letters.isascii() and letters.isalpha():
            return letters
    return sign.encode("ascii", "backslashreplace").decode()


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(in_ascii, error.object[error.start : error.end])), error.end


def make_printable() -> None:
    """Let standard output and standard error take every text, whatever their encoding."""
    codecs.register_error(HANDLER, _replaced)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # a window without a console has none
        if reconfigure is not None:
            reconfigure(errors=HANDLER)


def holds_utf8(stream: TextIO) -> bool:
    """Whether a stream takes all of Unicode; otherwise JSON is written in ASCII, with escapes."""
    try:
        return codecs.lookup(stream.encoding or "ascii").name.startswith("utf")
    except LookupError:
        return False
