"""A recorded episode as the plain data that the page's script draws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from dqngui.envs.choices import Choices
from dqngui.export.report.episode import RecordedEpisode
from dqngui.export.report.packing import packed_views, pictures, quantised, rounded, text_of
from dqngui.messages import View
from dqngui.texts import say, words
from dqngui.texts.plain import plain_line
from dqngui.texts.view_names import in_words

LONGEST = 80  # characters of a label from an environment
MOST_ACTIONS = 64


def episode_data(episode: RecordedEpisode, name: str, most_views: int, most_pictures: int) -> dict[str, Any]:
    """The data of one episode, of about so many bytes for its views and for its pictures, before base64.

    Views are in 255 levels, of long episodes those of every second or fourth step; values and rewards have five digits.
    """
    ready, count = episode.ready, episode.length
    announced = [view for view in ready.views if f"view/{view.name}" in episode.arrays]
    levels, largest = {}, {}
    for view in announced:
        values = _rows_first(view, episode.arrays[f"view/{view.name}"])
        levels[view.name], largest[view.name] = quantised(values, signed=view.signed)
    packs = packed_views(levels, most_views)
    kind, images, order = pictures(episode.frames, most_pictures)
    q, legal = episode.arrays["q"], episode.arrays.get("legal")
    if legal is not None and legal.shape == q.shape:
        q = np.where(legal, q, np.nan)
    why_none = ready.no_picture_in_words if not episode.frames else words(say("report.pictures_too_large"))
    actions = [plain_line(action, LONGEST) for action in ready.actions] or [str(a) for a in range(q.shape[1])]
    return {
        "name": name,
        "about": _about(episode),
        "length": count,
        "fps": rounded(ready.fps) or 30.0,
        "probability": ready.output_kind == "probability",
        "actions": actions[:MOST_ACTIONS],
        "q": [[rounded(value) for value in row[:MOST_ACTIONS]] for row in q.tolist()],
        **({"options": Choices(ready.choices).entries(episode.arrays["action"]).tolist()} if ready.choices else {}),
        "taken": episode.arrays["action"].tolist(),
        "rewards": [rounded(value) for value in episode.arrays["reward"].tolist()],
        "kind": kind,
        "images": [text_of(image) for image in images],
        "order": order,
        "no_film": "" if images else plain_line(why_none, 300),
        "views": [_view(episode, view, *packs[view.name], largest[view.name]) for view in announced],
    }


def _about(episode: RecordedEpisode) -> str:
    ret = float(episode.arrays["reward"].sum())
    key = say(
        "report.episode", seed=episode.seed, ret=ret, length=episode.length, step=episode.weights_step
    ) if episode.ended else say(
        "report.episode_cut", seed=episode.seed, ret=ret, length=episode.length, step=episode.weights_step
    )  # fmt: skip
    return words(key)


def _rows_first(view: View, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Values (T, *shape) as (T, heads, rows, columns); on the axis `lag` the oldest step is first."""
    if "head" in view.axes[:-1]:
        values = np.moveaxis(values, 1 + view.axes.index("head"), 1)
    return values[..., ::-1] if view.axes[-1] == "lag" else values


def _view(episode: RecordedEpisode, view: View, packed: bytes, every: int, largest: float) -> dict[str, Any]:
    sizes = dict(zip(view.axes, view.shape, strict=True))
    last = view.axes[-1]
    between = [axis for axis in view.axes[:-1] if axis != "head"]
    heads = _labels(episode, "head", sizes["head"]) if "head" in view.axes[:-1] else [""]
    rows = [""]
    for axis in between:
        rows = [f"{before} · {label}" if before else label for before in rows
                for label in _labels(episode, axis, sizes[axis])]  # fmt: skip
    if not between and len(heads) > 1:  # the heads are the rows of one map
        heads, rows, between = [""], heads, ["head"]
    over_time = len(view.axes) == 1
    axes = say("report.over_time", rows=_axis(last)) if over_time else (
        say("report.axes", rows=" · ".join(map(_axis, between)), columns=_axis(last)) if between else
        say("report.one_row", columns=_axis(last))
    )  # fmt: skip
    span = say("report.signed_span", largest=largest) if view.signed else say("report.share_span", largest=largest)
    said = f"{words(axes)}; {words(span)}"
    if every > 1:
        said += f" ({words(say('report.every', every=every))})"
    return {
        "title": plain_line(in_words(view.name), LONGEST),
        "axes": said,
        "over_time": over_time,
        "signed": view.signed,
        "largest": rounded(largest, 7),
        "every": every,
        "heads": heads,
        "rows": rows,
        "columns": _labels(episode, last, sizes[last]),
        "packed": text_of(packed),
    }


def _axis(axis: str) -> str:
    return words(say("report.past_step")) if axis == "lag" else plain_line(axis.replace("_", " "), LONGEST)


def _labels(episode: RecordedEpisode, axis: str, count: int) -> list[str]:
    if axis == "lag":
        return ["0" if lag == 0 else f"−{lag}" for lag in range(count - 1, -1, -1)]
    known = episode.ready.labels.get(axis, ())
    return [plain_line(label, LONGEST) for label in known] if len(known) == count else [
        f"{axis.replace('_', ' ')} {index + 1}" for index in range(count)
    ]  # fmt: skip


def share(total: int, count: int) -> int:
    """What each of some episodes may take of the bytes that all of them have."""
    return math.floor(total / max(count, 1))
