"""The names of runs in the window: short, and different from each other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from dqngui import catalog
from dqngui.comparison.setting_words import setting_text, short_name
from dqngui.listing.run_settings import RunSettings, place
from dqngui.runs.folder import RunSummary
from dqngui.runs.started import local_time

_STAMP = re.compile(r"^\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # in every locale
BETWEEN = " · "


@dataclass(frozen=True, slots=True)
class RunName:
    """The name of a run, in parts.

    Attributes:
        title: the run's title, or its folder's name without the start time.
        settings: settings in which it differs from other runs of this title: `GRU`, `lr 1e-3`.
        others: seed, `fork` and start, where these differ from runs with the same title and settings.
    """

    title: str
    settings: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    def __str__(self) -> str:
        return BETWEEN.join((self.title, *self.settings, *self.others))


@dataclass(frozen=True, slots=True)
class _Difference:
    """A property of runs that may tell them apart; `is_setting`: it is part of the experiment and not of one run."""

    text: Callable[[RunSummary], str]
    is_setting: bool = False


def folder_name(folder: str | Path) -> str:
    """The name of a run's folder without its start time."""
    return _STAMP.sub("", Path(folder).name)


def plain_title(summary: RunSummary) -> str:
    """The title of the run, or the name of its folder if it has none."""
    return summary.title or folder_name(summary.folder)


def shared_titles(summaries: Sequence[RunSummary]) -> list[str]:
    """Folders of the runs whose title another run has too, so that their settings are needed to name them."""
    titles = [plain_title(each) for each in summaries]
    counts = Counter(titles)
    return [each.folder for each, title in zip(summaries, titles, strict=True) if counts[title] > 1]


def names(summaries: Sequence[RunSummary], settings: Mapping[str, RunSettings] | None = None) -> dict[str, RunName]:
    """Names of runs by folder, no two of them equal.

    A name is the title, followed by what tells the run from others of this title, each only where it differs: task,
    memory, attention, further settings, seed, `fork`, day and time of its start, and at last its folder.

    Args:
        settings: the settings of runs by folder; without them runs that differ only in a setting are told apart by
            their seed or start.
    """
    found: dict[str, RunName] = {}
    for title, group in _grouped(summaries, plain_title).items():
        for summary in group:
            found[summary.folder] = RunName(title)
        if len(group) > 1:
            _tell_apart(group, [*_OF_SUMMARIES, *_of_settings(group, settings or {}), *_OF_ONE_RUN], found)
    return {summary.folder: found[summary.folder] for summary in summaries}


def _tell_apart(group: Sequence[RunSummary], differences: Sequence[_Difference], found: dict[str, RunName]) -> None:
    """Add to the names of runs, which are equal so far, the first difference; the same for those still equal then."""
    for number, difference in enumerate(differences):
        parts = _grouped(group, difference.text)
        if len(parts) == 1:
            continue
        for text, part in parts.items():
            for summary in part:
                name, more = found[summary.folder], (text,) if text else ()
                found[summary.folder] = (
                    RunName(name.title, name.settings + more, name.others)
                    if difference.is_setting
                    else RunName(name.title, name.settings, name.others + more)
                )
            if len(part) > 1:
                _tell_apart(part, differences[number + 1 :], found)
        return


def _of_settings(group: Sequence[RunSummary], settings: Mapping[str, RunSettings]) -> list[_Difference]:
    """The settings in which runs differ: those that somebody chose first, and how the run is computed last."""
    known = [settings[each.folder] for each in group if each.folder in settings]
    distinct = list({id(each): each for each in known}.values())
    paths = sorted({path for each in distinct for path in each.changed}, key=place)
    differing = [path for path in paths if len({_key(each.get(path)) for each in distinct}) > 1]
    differing.sort(key=lambda path: (path.startswith("run."), any(path in each.derived for each in known)))
    return [_Difference(_texts_of(path, settings, known), is_setting=True) for path in differing]


def _texts_of(
    path: str, settings: Mapping[str, RunSettings], known: Sequence[RunSettings]
) -> Callable[[RunSummary], str]:
    """The texts of a setting's values: short ones, or exact ones if short ones of two values are equal."""
    values = {_key(value): value for each in known for value in (each.get(path),)}
    short = {key: setting_text(path, value) for key, value in values.items()}
    if len(set(short.values())) < len(short):
        short = {key: f"{short_name(path)} {key.decode()}" for key in values}

    def text(summary: RunSummary) -> str:
        return short[_key(settings[summary.folder].get(path))] if summary.folder in settings else ""

    return text


def _key(value: Any) -> bytes:
    return msgspec.json.encode(value)


def started_text(summary: RunSummary, seconds: bool = False) -> tuple[str, str]:
    """(day, time) of the run's start, in local time: `20 May 2026`, `12:30`; empty if it is not known."""
    if (local := local_time(summary.started)) is None:
        return "", ""
    return f"{local.day} {MONTHS[local.month - 1]} {local.year}", f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"


def _grouped(summaries: Sequence[RunSummary], text: Callable[[RunSummary], str]) -> dict[str, list[RunSummary]]:
    groups: dict[str, list[RunSummary]] = {}
    for each in summaries:
        groups.setdefault(text(each), []).append(each)
    return groups


def _label(entries: Mapping[str, catalog.Entry], name: str) -> str:
    return (entries[name].label if name in entries else "") or name


_OF_SUMMARIES = (
    _Difference(lambda each: each.env, is_setting=True),
    _Difference(lambda each: _label(catalog.MEMORIES, each.memory), is_setting=True),
    _Difference(lambda each: _label(catalog.ATTENTIONS, each.attention), is_setting=True),
)
_OF_ONE_RUN = (
    _Difference(lambda each: f"seed {each.seed}"),
    _Difference(lambda each: "fork" if each.parent else ""),
    _Difference(lambda each: started_text(each)[0]),
    _Difference(lambda each: started_text(each)[1]),
    _Difference(lambda each: started_text(each, seconds=True)[1]),
    _Difference(lambda each: Path(each.folder).name),
)
