"""MLflow: one run for each, in a folder with a SQLite file or on a tracking server."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dqngui.config import ConfigError
from dqngui.export.event_records import markdown_table
from dqngui.export.exported_run import ExportedRun
from dqngui.export.part_file import made_folder
from dqngui.export.scalars import Note, Scalar
from dqngui.export.sink import Target
from dqngui.texts import reason_of
from dqngui.texts.plain import plain_line

_MOST_METRICS, _MOST_PARAMS = 1000, 100  # of one request
_LONGEST_NOTE = 5000
_ID, _ROWS, _DIGEST = "dqngui.id", "dqngui.rows", "dqngui.digest"
_STATUS = {
    "finished": "FINISHED",
    "stopped": "FINISHED",
    "failed": "FAILED",
    "running": "RUNNING",
    "ready": "SCHEDULED",
}


class MlflowRuns:
    """Writes the runs with their settings as params. An exported run is continued: only what is new is added.

    Where the log has become another one, as after a resume from an earlier state, the former run is deleted in MLflow.
    """

    def __init__(self, runs: Sequence[ExportedRun], target: Target) -> None:
        """Raises ConfigError if the folder cannot be written or the server does not answer."""
        out = target.out or os.environ.get("MLFLOW_TRACKING_URI") or str(Path.cwd() / "mlflow")
        self._place, artifacts = out, None
        made: list[Path] = []
        if "://" not in out and not out.startswith("sqlite:"):
            folder = Path(out).absolute()
            made = [each for each in (folder / "mlflow.db", folder) if not each.exists()]
            made_folder(folder)
            self._place = f"sqlite:///{folder.as_posix()}/mlflow.db"
            artifacts = (folder / "artifacts").as_uri()
        self._runs: list[_Run] = []
        try:
            with _said():
                client = _client(self._place)
                found = client.get_experiment_by_name(target.project)
                experiment = (
                    client.create_experiment(target.project, artifacts) if found is None else found.experiment_id
                )
                if found is not None and found.lifecycle_stage == "deleted":
                    raise ConfigError("exported.deleted_experiment", name=target.project)
                for run in runs:
                    self._runs.append(_Run(client, experiment, run))
        except BaseException:
            self.abandon()
            _remove(made)
            raise

    def add(self, run: int, scalars: Sequence[Scalar], notes: Sequence[Note]) -> None:
        with _said():
            self._runs[run].add(scalars, notes)

    def save(self) -> None:
        with _said():
            for run in self._runs:
                run.note_state()

    def finish(self) -> str:
        with _said():
            for run in self._runs:
                run.finish()
        return self._place

    def abandon(self) -> None:
        for run in self._runs:
            with contextlib.suppress(Exception):
                run.abandon()


class _Run:
    """One run in MLflow.

    Rows that an earlier export has written are held back until their number is reached: if they are the same, only what
    follows is sent, else the former run is deleted and all of them go to a new one.
    """

    def __init__(self, client: Any, experiment: str, run: ExportedRun) -> None:
        self._client, self._experiment, self._run = client, experiment, run
        self._digest = hashlib.sha256()
        self._count, self._at = 0, (0, "", 0)
        self._held: list[Scalar] = []
        self._notes: list[Note] = []
        self._earlier, self._known = 0, ""
        self._new = False
        query = f"tags.`{_ID}` = '{run.id}'"
        found = client.search_runs([experiment], query, max_results=1)
        self._id: str = found[0].info.run_id if found else ""
        if found:
            tags = found[0].data.tags
            self._earlier = int(tags[_ROWS]) if tags.get(_ROWS, "").isdigit() else 0
            self._known = tags.get(_DIGEST, "")
        else:
            self._create()

    def _create(self) -> None:
        from mlflow.entities import Param

        run = self._run
        tags = {_ID: run.id, **{f"tag.{tag}": "yes" for tag in run.tags}}
        created = self._client.create_run(self._experiment, int(1000 * run.began), tags, run_name=run.title)
        self._id, self._new = created.info.run_id, True
        params = [Param(_name(path), str(value)) for path, value in run.setting_texts().items()]
        for first in range(0, len(params), _MOST_PARAMS):
            self._client.log_batch(self._id, params=params[first : first + _MOST_PARAMS])

    def add(self, scalars: Sequence[Scalar], notes: Sequence[Note]) -> None:
        self._notes += notes
        for each in scalars:
            self._digest.update(struct.pack("<qd", each.step, each.value) + each.name.encode())
            self._count += 1
            if self._count == self._earlier:
                self._compare([*self._held, each])
            elif self._count < self._earlier:
                self._held.append(each)
            else:
                self._held.append(each)
                if len(self._held) >= _MOST_METRICS:
                    self._send()
        if self._count > self._earlier:
            self._send()

    def _compare(self, rows: list[Scalar]) -> None:
        """Decide, now that as many rows are there as were exported before."""
        self._held = []
        if self._digest.hexdigest() != self._known:
            self._replace(rows)

    def _replace(self, rows: list[Scalar]) -> None:
        self._client.delete_run(self._id)
        self._earlier = 0
        self._create()
        self._held = rows
        self._send()

    def _send(self) -> None:
        from mlflow.entities import Metric

        metrics = [Metric(_name(each.name), each.value, self._time(each), each.step) for each in self._held]
        self._held = []
        for first in range(0, len(metrics), _MOST_METRICS):
            self._client.log_batch(self._id, metrics=metrics[first : first + _MOST_METRICS])

    def _time(self, each: Scalar) -> int:
        """Milliseconds; episodes that end at the same step with the same return differ, or MLflow would drop one."""
        step, name, repeated = self._at
        self._at = (each.step, each.name, repeated + 1 if (step, name) == (each.step, each.name) else 0)
        if each.name.startswith("rollout/"):  # return and length come in turn
            self._at = (each.step, "rollout", repeated + 1 if (step, name) == (each.step, "rollout") else 0)
        return int(1000 * self._run.at(each.seconds)) + self._at[2]

    def note_state(self) -> None:
        """Note how much is there, so that another export goes on behind it."""
        if self._count < self._earlier:
            self._replace(self._held)  # the log is shorter than what was exported
        tags = {_ROWS: str(self._count), _DIGEST: self._digest.hexdigest()}
        for key, value in tags.items():
            self._client.set_tag(self._id, key, value)

    def finish(self) -> None:
        self.note_state()
        run, figures = self._run, self._run.figures()
        ledger = markdown_table(("step", "what"), [(note.step, note.text) for note in self._notes])
        note = "\n\n".join(part for part in (run.labels.note, ledger if self._notes else "") if part)
        self._client.set_tag(self._id, "mlflow.note.content", note[:_LONGEST_NOTE])
        self._client.set_tag(self._id, "mlflow.runName", run.title)
        self._client.set_tag(self._id, "dqngui.state", figures.pop("state"))
        end, step = int(1000 * run.at(figures["seconds"])), figures["steps"]
        for name, value in figures.items():
            self._client.log_metric(self._id, f"final/{name}", float(value), end, step)
        state = run.summary().state
        if (status := _STATUS.get(state, "KILLED")) != "RUNNING":
            self._client.set_terminated(self._id, status, end)

    def abandon(self) -> None:
        if self._new:
            self._client.delete_run(self._id)


def _remove(made: Sequence[Path]) -> None:
    """Remove a database that was not made whole, and its folder if nothing else is in it."""
    for path in made:
        with contextlib.suppress(OSError):
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink()
                path.with_name(f"{path.name}-journal").unlink(missing_ok=True)


def _client(place: str) -> Any:
    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.ERROR)
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=place)


def _name(name: str) -> str:
    """A name as MLflow allows it: letters, digits, `_`, `-`, `.`, blanks and `/`."""
    return "".join(sign if sign.isalnum() or sign in "_-. /" else "_" for sign in name)[:250]


@contextlib.contextmanager
def _said() -> Iterator[None]:
    """An error of the package as one sentence."""
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:  # also of the network, which is an OSError
        first = (str(reason_of(error)).splitlines() or [""])[0]
        raise ConfigError("exported.tracker", name="mlflow", problem=plain_line(first, 300)) from error
