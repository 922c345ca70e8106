"""TensorBoard: a folder with a folder for each run, each with one event file. Needs no package."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from dqngui.export.event_records import markdown_table, records, scalar_event, text_event, version_event
from dqngui.export.exported_run import ExportedRun
from dqngui.export.part_file import PartFile, made_folder, not_written
from dqngui.export.scalars import Note, Scalar
from dqngui.export.sink import Target

_SUFFIX = ".dqngui"


class EventFiles:
    """Writes the event files. One that an earlier export of a run left is replaced, and other files stay."""

    def __init__(self, runs: Sequence[ExportedRun], target: Target) -> None:
        """Raises ConfigError if the folder or a file in it cannot be written."""
        self._runs, self._files, self._made = runs, list[PartFile](), list[Path]()
        self._folder = Path.cwd() / "tensorboard" if target.out is None else Path(target.out)
        if not self._folder.exists():
            self._made.append(self._folder)
        made_folder(self._folder)
        try:
            for name, run in zip(folder_names(runs), runs, strict=True):
                self._files.append(self._opened(self._folder / name, run))
        except BaseException:
            self.abandon()
            raise

    def _opened(self, folder: Path, run: ExportedRun) -> PartFile:
        new = not folder.exists()
        made_folder(folder)
        if new:
            self._made.append(folder)
        stamp = f"{int(run.began):010d}"
        file = PartFile(folder / f"events.out.tfevents.{stamp}.{run.id}{_SUFFIX}", b"")
        about = [("title", run.title), ("folder", run.name), ("tags", ", ".join(run.tags)), ("note", run.labels.note)]
        texts = {
            "settings": markdown_table(("setting", "value"), run.setting_texts().items()),
            "run": markdown_table(("", ""), [row for row in about if row[1]]),
        }
        file.append(
            records([version_event(run.began), *(text_event(run.began, 0, tag.encode(), text)
                                                 for tag, text in texts.items())])
        )  # fmt: skip
        return file

    def add(self, run: int, scalars: Sequence[Scalar], notes: Sequence[Note]) -> None:
        at = self._runs[run].at
        events = [scalar_event(at(each.seconds), each.step, each.name.encode(), each.value) for each in scalars]
        events += [text_event(at(note.seconds), note.step, f"log/{note.kind}".encode(), note.text) for note in notes]
        if events:
            self._files[run].append(records(events))
            self._files[run].flush()

    def save(self) -> None:
        for file in self._files:
            self._clear(file.path)
            file.place()

    def finish(self) -> str:
        for run, file in zip(self._runs, self._files, strict=True):
            figures = run.figures()
            rows = markdown_table(("figure", "value"), figures.items())
            end = run.at(figures["seconds"])
            values = [
                scalar_event(end, figures["steps"], f"final/{name}".encode(), float(figures[name]))
                for name in figures if name == "best" or (name.startswith("tested/") and name != "tested/episodes")
            ]  # fmt: skip
            file.append(records([text_event(end, figures["steps"], b"figures", rows), *values]))
        self.save()
        for file in self._files:
            file.close()
        return str(self._folder)

    def abandon(self) -> None:
        for file in self._files:
            file.close()
        for folder in reversed(self._made):
            with contextlib.suppress(OSError):
                folder.rmdir()  # only if nothing is in it

    def _clear(self, path: Path) -> None:
        """Remove what an earlier export of another version of this run left in its folder."""
        try:
            for other in path.parent.glob(f"events.out.tfevents.*{_SUFFIX}"):
                if other != path:
                    other.unlink()
        except OSError as error:
            raise not_written(path, error) from None


def folder_names(runs: Sequence[ExportedRun]) -> list[str]:
    """A name of a folder for each run, no two of them equal: its own, with its id where runs have the same one."""
    names = [run.name.replace("/", "_").replace("\\", "_").lstrip(".") or run.id for run in runs]
    return [name if names.count(name) == 1 else f"{name}-{run.id}" for name, run in zip(names, runs, strict=True)]
