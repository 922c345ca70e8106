"""The contract of a format: it takes the rows of runs and writes them somewhere."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dqngui.config import ConfigError

if TYPE_CHECKING:  # the window reads the names of the formats when it starts, and no more
    from dqngui.export.exported_run import ExportedRun
    from dqngui.export.scalars import Note, Scalar


@dataclass(frozen=True, slots=True)
class Target:
    """Where and how runs are exported.

    Attributes:
        out: a file, a folder, or an address; None: the format's usual place in the working folder.
        project: name of the project (W&B) or experiment (MLflow) that the runs belong to.
        online: W&B sends the runs to its server.
        trust: an untrusted environment may be made, for the film of a report.
    """

    out: str | None = None
    project: str = "dqngui"
    online: bool = False
    trust: bool = False


class Sink(Protocol):
    """Takes the rows of some runs, which are numbered as they were given. What it writes appears when it is whole."""

    def add(self, run: int, scalars: Sequence[Scalar], notes: Sequence[Note]) -> None:
        """Take the next rows of a run. Raises ConfigError, OSError."""

    def save(self) -> None:
        """Make what was taken so far readable, while more may follow. Raises ConfigError, OSError."""

    def finish(self) -> str:
        """End with the runs' final figures; returns where it was written. Raises ConfigError, OSError."""

    def abandon(self) -> None:
        """Remove what is not whole, after an error or an interruption. Never raises."""


class OpenSink(Protocol):
    """Opens a format for some runs. Raises ConfigError, also if the place cannot be written."""

    def __call__(self, runs: Sequence[ExportedRun], target: Target) -> Sink: ...


@dataclass(frozen=True, slots=True)
class Format:
    """A format by name: what it is, its sink as `module:object`, and the package that it needs."""

    summary: str
    target: str
    package: str = ""


_HERE = "dqngui.export"
FORMATS: dict[str, Format] = {
    "csv": Format("a table with a row for each number, as text", f"{_HERE}.csv_table:CsvTable"),
    "parquet": Format(
        "the same table in columns, for pandas, polars and the like", f"{_HERE}.parquet_table:ParquetTable", "pyarrow"
    ),
    "tensorboard": Format("event files in a folder, for TensorBoard", f"{_HERE}.tensorboard_events:EventFiles"),
    "wandb": Format("runs of Weights & Biases, offline or online", f"{_HERE}.wandb_runs:WandbRuns", "wandb"),
    "mlflow": Format("runs of MLflow, in a folder or on a server", f"{_HERE}.mlflow_runs:MlflowRuns", "mlflow"),
    "html": Format("a report that opens in any browser", f"{_HERE}.report.report:Report"),
}


def open_sink(name: str, runs: Sequence[ExportedRun], target: Target) -> Sink:
    """The sink of a format. Raises ConfigError for an unknown one, a missing package, or a place that cannot be
    written.
    """
    found = FORMATS.get(name)
    if found is None:
        raise ConfigError("exported.no_format", name=name, known=list(FORMATS))
    if found.package and importlib.util.find_spec(found.package) is None:
        raise ConfigError("exported.no_package", name=name, package=found.package)
    module, _, attribute = found.target.partition(":")
    sink: Sink = getattr(importlib.import_module(module), attribute)(runs, target)
    return sink
