"""Weights & Biases: one run for each, offline unless there is a login or it was asked for.

The package starts a process of its own, which ends with the export. It is never used in a process that was forked, nor
in one that trains: there it can wait for ever (wandb#12079) or hide errors (wandb#1771).
"""

from __future__ import annotations

import contextlib
import netrc
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dqngui.config import ConfigError
from dqngui.export.exported_run import ExportedRun
from dqngui.export.part_file import made_folder
from dqngui.export.scalars import Note, Scalar
from dqngui.export.sink import Target
from dqngui.export.wandb_file import is_whole
from dqngui.texts import reason_of
from dqngui.texts.plain import plain_line

_SERVER = "https://api.wandb.ai"
_LONGEST_TAG = 64


class WandbRuns:
    """Writes the runs with their settings as config. A run has the same id at each export, so it is replaced."""

    def __init__(self, runs: Sequence[ExportedRun], target: Target) -> None:
        """Raises ConfigError without a login where one is needed, or if the folder cannot be written."""
        logged_in = is_logged_in()
        if target.online and not logged_in:
            raise ConfigError("exported.no_login")
        wanted = os.environ.get("WANDB_MODE", "")
        self._offline = not target.online and (not logged_in or wanted in ("offline", "dryrun", "disabled"))
        folder = Path.cwd() if target.out is None else Path(target.out)
        self._new = [each for each in (folder / "wandb", folder) if not each.exists()]
        self._folder = made_folder(folder)
        self._runs, self._open = runs, list[Any]()
        self._notes: list[list[Note]] = [[] for _ in runs]
        self._rows, self._folders = [0] * len(runs), list[Path]()
        try:
            for run in runs:
                self._open.append(self._begun(run, target))
                self._folders.append(Path(self._open[-1].dir).parent)
        except BaseException:
            self.abandon()
            raise

    def _begun(self, run: ExportedRun, target: Target) -> Any:
        import wandb

        with _said():
            begun = wandb.init(
                project=target.project, id=run.id, name=run.title, dir=str(self._folder), config=_nested(run.settings),
                tags=[tag[:_LONGEST_TAG] for tag in run.tags], notes=run.labels.note or None, reinit="create_new",
                mode="offline" if self._offline else "online",
                settings=wandb.Settings(
                    console="off", silent=True, disable_git=True, disable_code=True, disable_job_creation=True,
                    x_disable_stats=True, x_disable_machine_info=True, x_save_requirements=False,
                ),
            )  # fmt: skip
            begun.define_metric("step", hidden=True)
            begun.define_metric("*", step_metric="step")
        return begun

    def add(self, run: int, scalars: Sequence[Scalar], notes: Sequence[Note]) -> None:
        self._notes[run] += notes
        with _said():
            for row in _rows(scalars):
                at = self._runs[run].at(row[0].seconds)
                values = {each.name: each.value for each in row}
                self._open[run].log({**values, "step": row[0].step, "_timestamp": at})
                self._rows[run] += 1

    def save(self) -> None:
        """Nothing to do: each row is handed over at once."""

    def finish(self) -> str:
        import wandb

        with _said():
            for number, (run, begun) in enumerate(zip(self._runs, self._open, strict=True)):
                if notes := self._notes[number]:
                    rows = [[note.step, note.kind, note.text] for note in notes]
                    begun.log({"ledger": wandb.Table(columns=["step", "kind", "text"], data=rows)})
                figures = run.figures()
                begun.summary.update({f"final/{name}": value for name, value in figures.items()})
                begun.finish(exit_code=0)
            address = "" if self._offline or not self._open else str(self._open[0].url or "")
            wandb.teardown()  # only then the files are written to their ends
            if self._offline:
                self._check()
                for run, folder in zip(self._runs, self._folders, strict=True):
                    self._clear(run, folder)
        return address or str(self._folder / "wandb")

    def abandon(self) -> None:
        import wandb

        for begun in self._open:
            with contextlib.suppress(Exception):
                begun.finish(exit_code=1)
        with contextlib.suppress(Exception):
            wandb.teardown()
        for folder in self._folders if self._offline else ():
            shutil.rmtree(folder, ignore_errors=True)
        self._leave_nothing()

    def _leave_nothing(self) -> None:
        """Remove the folders that were made for this export, if no run is left in them."""
        made = self._folder / "wandb"
        if made in self._new:
            if any(made.glob("offline-run-*")) or any(made.glob("run-*")):
                return
            shutil.rmtree(made, ignore_errors=True)
        if self._folder in self._new:
            with contextlib.suppress(OSError):
                self._folder.rmdir()

    def _check(self) -> None:
        """Raises ConfigError if a run was not written whole: on a full disk the package goes on in silence."""
        for run, folder, rows in zip(self._runs, self._folders, self._rows, strict=True):
            if not is_whole(folder / f"run-{run.id}.wandb", rows):
                raise ConfigError("exported.cut", path=folder)

    def _clear(self, run: ExportedRun, present: Path) -> None:
        """Remove earlier offline exports of this run, which would be sent once more."""
        for earlier in present.parent.glob(f"offline-run-*-{run.id}"):
            if earlier.name != present.name and not earlier.is_symlink():
                shutil.rmtree(earlier, ignore_errors=True)


def is_logged_in() -> bool:
    """Whether a key for the server is known, in the environment or in the file of `wandb login`; asks nobody."""
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return True
    host = urlsplit(os.environ.get("WANDB_BASE_URL") or _SERVER).hostname or ""
    for name in (os.environ.get("NETRC"), "~/.netrc", "~/_netrc"):
        with contextlib.suppress(OSError, netrc.NetrcParseError, UnicodeDecodeError):
            if name and (found := netrc.netrc(os.path.expanduser(name)).authenticators(host)) is not None:
                return bool(found[2])
    return False


def _rows(scalars: Sequence[Scalar]) -> Iterator[list[Scalar]]:
    """The scalars in rows of one step in which no name comes twice: two episodes may end at the same step."""
    row: list[Scalar] = []
    for each in scalars:
        if row and (each.step != row[0].step or any(each.name == other.name for other in row)):
            yield row
            row = []
        row.append(each)
    if row:
        yield row


def _nested(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings by section, as W&B groups them."""
    nested: dict[str, Any] = {}
    for path, value in settings.items():
        section, _, name = path.partition(".")
        nested.setdefault(section, {})[name] = value
    return nested


@contextlib.contextmanager
def _said() -> Iterator[None]:
    """An error of the package as one sentence."""
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:  # also of the network, which is an OSError
        raise ConfigError("exported.tracker", name="wandb", problem=plain_line(str(reason_of(error)), 300)) from error
