"""Line charts as inline SVG: colours come from the page's style sheet, so that they follow light and dark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from dqngui.texts.numbers import short

Floats = npt.NDArray[np.float64]
WIDTH, HEIGHT = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 14, 12, 40
MOST_POINTS = 600
SLOTS = 8
"""Number of colours in the style sheet."""


@dataclass(frozen=True, eq=False, slots=True)
class Line:
    """Values over steps, (N,) each.

    Attributes:
        label: its name in the legend; empty: it has no entry there.
        look: `line`, `faint` (a thin line behind the others), `dots`, or `points` (a line with a dot at each value).
        slot: selects its colour and dash pattern.
        low, high: ends of an interval around it, drawn as a band; None without one.
    """

    x: Floats
    y: Floats
    label: str = ""
    look: str = "line"
    slot: int = 0
    low: Floats | None = None
    high: Floats | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Chart:
    """A chart with its lines, and with vertical marks as (x, words)."""

    title: str
    x_title: str
    lines: Sequence[Line]
    marks: Sequence[tuple[float, str]] = ()
    height: int = HEIGHT

    def svg(self) -> str:
        """The chart as an element `figure`; empty if no line has a finite value."""
        spans = [_span(self.lines, axis) for axis in ("x", "y")]
        if spans[0] is None or spans[1] is None:
            return ""
        first = 0.0 if 0.0 < spans[0][0] < 0.05 * spans[0][1] else spans[0][0]  # most curves begin at step 0
        frame = _Frame(_padded((first, spans[0][1]), 0.0), _padded(spans[1], 0.06), self.height)
        parts = [*frame.grid(self.x_title)]
        for mark, words in self.marks[:200]:
            if frame.x_span[0] <= mark <= frame.x_span[1]:
                x = frame.x(mark)
                parts.append(
                    f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{self.height - _BOTTOM}">'
                    f"<title>{escape(words)}</title></line>"
                )
        for line in sorted(self.lines, key=lambda line: _DEPTH[line.look]):
            parts += _drawn(line, frame)
        legend = "".join(_legend(line) for line in self.lines if line.label)
        legend = f'<div class="legend">{legend}</div>' if legend else ""
        return (
            f"<figure><figcaption>{escape(self.title)}{legend}</figcaption>"
            f'<svg viewBox="0 0 {WIDTH} {self.height}" role="img" aria-label="{escape(self._spoken(), quote=True)}">'
            f"{''.join(parts)}</svg></figure>"
        )

    def _spoken(self) -> str:
        """The chart in words, for who does not see it."""
        ends = []
        for line in self.lines:
            known = np.isfinite(line.y)
            if line.label and known.any():
                ends.append(f"{line.label}: {short(float(line.y[known][0]))} → {short(float(line.y[known][-1]))}")
        return f"{self.title}. {'; '.join(ends)}" if ends else self.title


_DEPTH = {"dots": 0, "faint": 1, "line": 2, "points": 3}


class _Frame:
    """From values to pixels."""

    def __init__(self, x_span: tuple[float, float], y_span: tuple[float, float], height: int) -> None:
        self.x_span, self.y_span, self._height = x_span, y_span, height

    def x(self, value: Any) -> Any:
        low, high = self.x_span
        return _LEFT + (value - low) / (high - low) * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: Any) -> Any:
        low, high = self.y_span
        return self._height - _BOTTOM - (value - low) / (high - low) * (self._height - _TOP - _BOTTOM)

    def grid(self, x_title: str) -> list[str]:
        parts = []
        bottom = self._height - _BOTTOM
        for tick in _ticks(*self.y_span):
            y = self.y(tick)
            parts.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<text class="tick" x="{_LEFT - 7}" y="{y + 4:.1f}" text-anchor="end">{short(tick)}</text>')
        for tick in _ticks(*self.x_span):
            x = self.x(tick)
            anchor = "end" if x > WIDTH - _RIGHT - 12 else "middle"
            parts.append(
                f'<text class="tick" x="{x:.1f}" y="{bottom + 16}" text-anchor="{anchor}">{short(tick)}</text>'
            )
        middle = (_LEFT + WIDTH - _RIGHT) / 2
        parts.append(
            f'<text class="axis" x="{middle}" y="{self._height - 6}" text-anchor="middle">{escape(x_title)}</text>'
        )
        return parts


def _ticks(low: float, high: float) -> list[float]:
    """Four to eight round numbers within the span."""
    raw = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw)
    first = math.ceil(low / step - 1e-9)
    return [round(index * step, 12) + 0.0 for index in range(first, math.floor(high / step + 1e-9) + 1)]


def _span(lines: Sequence[Line], axis: str) -> tuple[float, float] | None:
    """Smallest and largest finite value along an axis, of what is drawn."""
    parts = []
    for line in lines:
        both = np.isfinite(line.x) & np.isfinite(line.y)
        parts.append((line.x if axis == "x" else line.y)[both])
        if axis == "y" and line.low is not None and line.high is not None:
            parts += [line.low[both & np.isfinite(line.low)], line.high[both & np.isfinite(line.high)]]
    known = np.concatenate(parts) if parts else np.empty(0)
    return (float(known.min()), float(known.max())) if known.size else None


def _padded(span: tuple[float, float], margin: float) -> tuple[float, float]:
    low, high = span
    if not high - low > 1e-9 * max(abs(low), abs(high)):
        room = abs(high) * 0.1 or 1.0
        return low - room, high + room
    return low - margin * (high - low), high + margin * (high - low)


def thinned(x: Floats, y: Floats, most: int = MOST_POINTS) -> tuple[Floats, Floats]:
    """At most about `most` points: the lowest and highest of each stretch, so that no peak is lost."""
    if len(x) <= most:
        return x, y
    keep: list[int] = []
    for part in np.array_split(np.arange(len(x)), most // 2):
        known = part[np.isfinite(y[part])]
        if known.size:
            keep += sorted({int(known[np.argmin(y[known])]), int(known[np.argmax(y[known])])})
        else:
            keep.append(int(part[0]))
    return x[keep], y[keep]


def _drawn(line: Line, frame: _Frame) -> list[str]:
    color = f"s{line.slot % SLOTS}"
    x, y = thinned(line.x, line.y)
    if line.look == "dots":
        return [f'<path class="dots {color}" d="{_dots(x, y, frame)}"/>']
    parts = []
    if line.low is not None and line.high is not None:
        parts += [f'<path class="band {color}" d="{each}"/>' for each in _bands(line.x, line.low, line.high, frame)]
    parts.append(f'<path class="{"faint" if line.look == "faint" else "line"} {color}" d="{_path(x, y, frame)}"/>')
    if line.look == "points" or np.isfinite(y).sum() == 1:  # a line needs two
        parts.append(f'<path class="points {color}" d="{_dots(x, y, frame)}"/>')
    return parts


def _path(x: Floats, y: Floats, frame: _Frame) -> str:
    parts, pen = [], "M"
    for px, py in zip(frame.x(x).tolist(), frame.y(y).tolist(), strict=True):
        if math.isfinite(px) and math.isfinite(py):
            parts.append(f"{pen}{px:.1f} {py:.1f}")
            pen = "L"
        else:
            pen = "M"  # a gap
    return "".join(parts)


def _dots(x: Floats, y: Floats, frame: _Frame) -> str:
    both = zip(frame.x(x).tolist(), frame.y(y).tolist(), strict=True)
    return "".join(f"M{px:.1f} {py:.1f}h0" for px, py in both if math.isfinite(px) and math.isfinite(py))


def _bands(x: Floats, low: Floats, high: Floats, frame: _Frame) -> list[str]:
    """The area between the ends, a shape for each stretch where both are known."""
    known = np.isfinite(x) & np.isfinite(low) & np.isfinite(high)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(np.int8)))
    found = []
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        there = _path(x[first:end], high[first:end], frame)
        back = _path(x[first:end][::-1], low[first:end][::-1], frame)
        found.append(f"{there}L{back[1:]}Z")
    return found


def _legend(line: Line) -> str:
    look = "dot" if line.look == "dots" else "stroke"
    return (
        f'<span class="key"><i class="{look} s{line.slot % SLOTS}" aria-hidden="true"></i>{escape(line.label)}</span>'
    )
