"""The page around the sections of a report: style, script and data inside one file.

Texts of a run may be a stranger's. Each is escaped where it becomes HTML; data stand in a JSON element in which no `<`
is written; and a content security policy lets the browser run this page's own script and nothing else, and reach no
network.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from html import escape
from importlib import resources
from typing import Any

import dqngui
from dqngui.texts import Text, say, words

MARK = b"<!doctype html><!-- dqngui report -->"


def page(title: str, header: str, sections: Iterable[str], episodes: Sequence[dict[str, Any]]) -> bytes:
    """The whole file. `header` and `sections` are HTML; `episodes` are the data of `episode_data`."""
    style, script = _file("page.css"), _file("page.js")
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'"
    data = {"words": _script_words(), "episodes": list(episodes)}
    made_by = words(say("report.made_by", version=dqngui.__version__))
    return "".join(
        [
            MARK.decode(),
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(policy, quote=True)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{style}</style></head><body>",
            f"<header>{header}</header><main>{''.join(sections)}</main>",
            f"<footer>{escape(made_by)}</footer>",
            f'<script type="application/json" id="episodes">{_json(data)}</script>',
            f"<script>{script}</script></body></html>\n",
        ]
    ).encode("utf-8", "replace")


def _json(data: Any) -> str:
    """JSON that cannot end the element that it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _file(name: str) -> str:
    return resources.files("dqngui.export.report").joinpath(name).read_text("utf-8")


def _script_words() -> dict[str, str]:
    """What the script says."""
    return {
        "step": words(say("report.word_step")),
        "play": words(say("report.word_play")),
        "pause": words(say("report.word_pause")),
        "picture": words(say("report.word_picture")),
        "so_far": words(say("report.word_so_far")),
        "no_film": words(say("report.no_film")),
        "no_views": words(say("report.no_views")),
        "too_old": words(say("report.too_old")),
    }


# -- parts ------------------------------------------------------------------------------------------


def section(title: Text, body: str) -> str:
    """A section with its heading; nothing without a body."""
    return f"<section><h2>{escape(words(title))}</h2>{body}</section>" if body else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[int] = (), chosen: int = 0) -> str:
    """A table of texts. `numbers`: columns aligned to the right; the first `chosen` rows are marked."""

    def cells(kind: str, row: Sequence[str]) -> str:
        return "".join(
            f"<{kind}{' class=number' if index in numbers else ''}>{escape(cell)}</{kind}>"
            for index, cell in enumerate(row)
        )

    body = "".join(
        f"<tr{' class=chosen' if index < chosen else ''}>{cells('td', row)}</tr>" for index, row in enumerate(rows)
    )
    return f'<div class="scroll"><table><thead><tr>{cells("th", head)}</tr></thead><tbody>{body}</tbody></table></div>'


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Key figures as a list of terms."""
    inside = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in pairs)
    return f'<dl class="facts">{inside}</dl>'


def details(summary: Text, body: str) -> str:
    """What is shown after a click."""
    return f"<details><summary>{escape(words(summary))}</summary>{body}</details>"


def player(names: Sequence[str], problems: Sequence[str]) -> str:
    """The place where the script shows the episodes, with a choice between them, and why some are missing."""
    missing = "".join(f'<p class="muted">{escape(problem)}</p>' for problem in problems)
    if not names:
        return missing
    options = "".join(f'<option value="{index}">{escape(name)}</option>' for index, name in enumerate(names))
    label = escape(words(say("report.which_episode")), quote=True)
    choice = f'<select id="episode" aria-label="{label}">{options}</select>' if len(names) > 1 else ""
    slider = escape(words(say("report.slider")), quote=True)
    return (
        f'{missing}<div id="player" hidden><p class="muted" id="about"></p><div class="controls">'
        f'<button id="play" type="button">{escape(words(say("report.word_play")))}</button>{choice}'
        f'<input id="step" type="range" min="0" max="0" value="0" step="1" aria-label="{slider}">'
        f'<output id="shown" for="step"></output></div><div class="episode" id="stage"></div>'
        f'<p class="muted">{escape(words(say("report.rounded")))}</p></div>'
        f'<noscript><p class="muted">{escape(words(say("report.no_script")))}</p></noscript>'
    )
