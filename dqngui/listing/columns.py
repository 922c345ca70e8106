"""A column of the list of runs: any setting or figure, by the name that a person types."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dqngui.comparison.setting_words import label_of, module_name, plain_value
from dqngui.config import ConfigError
from dqngui.listing.figures import FIGURES, MEASURE, Run, figure_of, measures_of
from dqngui.listing.query import SOME_NAMES, numbers_in
from dqngui.listing.run_settings import usual
from dqngui.listing.typed_words import plain
from dqngui.listing.vocabulary import Vocabulary, known_paths, value_at
from dqngui.texts.numbers import measured

NOTHING = "–"
_MODULES = {"memory": "net.memory", "attention": "net.attention"}
_SCORES = ("best", "final", "chosen")
Order = tuple[int, float, str]


@dataclass(frozen=True, slots=True)
class Column:
    """A setting or figure of runs.

    Attributes:
        name: as it was typed, in lower case; it names the column in settings that are kept.
        keys: the figure, or the paths of the settings, that the name stands for (see `Vocabulary`).
        head: the head of its column.
    """

    name: str
    keys: tuple[str, ...]
    head: str

    def value(self, run: Run) -> Any:
        """The value of a run; None if it has none."""
        return next((value for key in self.keys if (value := value_at(run, key)) is not None), None)

    def text(self, run: Run) -> str:
        """The value as it is shown; a dash if there is none."""
        value = self.value(run)
        if value is None:
            return NOTHING
        key = self.keys[0]
        figure = figure_of(key)
        if figure is None:
            return plain_value(value)
        if key in _SCORES or key.startswith(MEASURE):
            return measured(value)
        match figure.kind:
            case "date":
                return f"{datetime.fromtimestamp(value):%Y-%m-%d %H:%M}"
            case "seconds":
                minutes, seconds = divmod(round(value), 60)
                return f"{minutes}:{seconds:02d}"
            case "flag":
                return "yes" if value else NOTHING
            case "number":
                return f"{value:,}"
        return module_name(_MODULES[key], value) if key in _MODULES else str(value)

    @property
    def is_number(self) -> bool:
        """Whether its texts are aligned as numbers."""
        figure, default = figure_of(self.keys[0]), usual().get(self.keys[0])
        if figure is not None:
            return figure.kind in ("number", "seconds")
        return isinstance(default, (int, float)) and not isinstance(default, bool)

    def order(self, run: Run) -> Order | None:
        """What runs are sorted by: numbers by size, then texts by their letters; None for a run without a value."""
        value = self.value(run)
        if value is None or value == "":
            return None
        if isinstance(value, bool):
            return 0, float(value), ""
        numbers = numbers_in(value)
        return (0, numbers[0], "") if numbers else (1, 0.0, plain(self.text(run)))


def column_of(name: str, names: Vocabulary) -> Column:
    """The column with this name. Raises ConfigError if no setting and no figure has it."""
    typed = plain(name).strip()
    keys = names.keys.get(typed)
    if keys is None:
        raise ConfigError("query.no_such", name=name.strip(), some=SOME_NAMES)
    figure = figure_of(keys[0])
    if figure is not None:
        return Column(typed, keys, figure.label)
    label = known_paths().get(keys[0]) or label_of(keys[0])
    return Column(typed, keys, (label or keys[0].rpartition(".")[2].replace("_", " ")).lower())


def columns_of(text: str, names: Vocabulary) -> list[Column]:
    """The columns of a list of names with commas. Raises ConfigError."""
    typed = [each for each in (part.strip() for part in text.split(",")) if each]
    return [column_of(each, names) for each in dict.fromkeys(typed)]


def needs_settings(columns: Iterable[Column]) -> bool:
    """Whether a column shows a setting that only the experiment tells."""
    return any(figure_of(key) is None for column in columns for key in column.keys)


def offered_columns(runs: Sequence[Run]) -> list[Column]:
    """What may be chosen for a list of these runs: all figures, and the settings in which the runs differ."""
    paths = dict.fromkeys(path for run in runs if run.settings is not None for path in run.settings.changed)
    differing = [path for path in paths if _differs(runs, path)]
    figures = [Column(key, (key,), figure.label) for key, figure in FIGURES.items()]
    figures += [Column(f"{MEASURE}{name}", (f"{MEASURE}{name}",), name) for name in measures_of(runs)]
    return figures + [Column(path, (path,), _head(path)) for path in differing]


def _head(path: str) -> str:
    return (known_paths().get(path) or path.rpartition(".")[2].replace("_", " ")).lower()


def _differs(runs: Sequence[Run], path: str) -> bool:
    first: list[Any] = []
    for run in runs:
        if run.settings is None:
            continue
        value = run.settings.get(path)
        if not first:
            first.append(value)
        elif value != first[0]:
            return True
    return False
