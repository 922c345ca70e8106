"""Labels of a run: what a person says about it. A small file beside the log, which training neither reads nor writes.

The file is written without the writer's lock, so a run that is being trained can be labelled, and in one step. It may
be a stranger's: it is read bounded, and a file that cannot be read means a run without labels, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from dqngui.bounded import found, json_data, read_file
from dqngui.config import ConfigError
from dqngui.runs.files import replace_file
from dqngui.texts import Text, say
from dqngui.texts.plain import plain_line

LABELS = "labels.json"
MOST_LABELS = 64 * 1024  # bytes of the largest file of labels that is read
LONGEST_TITLE, LONGEST_TAG, LONGEST_NOTE = 200, 40, 4_000  # characters
MOST_TAGS = 50


class Labels(msgspec.Struct, frozen=True):
    """What a person says about a run.

    Attributes:
        title: shown instead of the title of its experiment; empty: that one is shown.
        star: whether it is marked.
        tags: words without spaces, in the order in which they were given.
        note: any text, of one or more lines.
    """

    title: str = ""
    star: bool = False
    tags: tuple[str, ...] = ()
    note: str = ""

    def __bool__(self) -> bool:
        return self != _NONE


_NONE = Labels()


def read_labels(folder: Path) -> tuple[Labels, Text | str]:
    """The labels of a run, and why they cannot be read (empty if they can, or if it has none). Never raises."""
    path = folder / LABELS
    try:
        labels = json_data(read_file(path, MOST_LABELS), Labels)
    except FileNotFoundError:
        return _NONE, ""
    except ConfigError as error:
        return _NONE, error.text
    except OSError as error:
        return _NONE, say("file.unreadable", path=path, problem=error.strerror or str(error))
    except ValueError:
        return _NONE, say("labels.damaged", path=path)
    return _presentable(labels), ""


def write_labels(folder: Path, labels: Labels) -> None:
    """Replace the labels of a run in one step; without any, the file is removed.

    Raises ConfigError for a label that is not allowed, and for a folder that is not a run's or cannot be written.
    """
    if not found(Path.is_dir, folder):
        raise ConfigError("run.none", run=folder)
    check_labels(labels)
    path = folder / LABELS
    try:
        if labels:
            replace_file(path, msgspec.json.format(msgspec.json.encode(labels)) + b"\n", sync=False)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError("labels.not_written", path=path, problem=error.strerror or str(error)) from None


def changed_labels(
    labels: Labels,
    *,
    title: str | None = None,
    star: bool | None = None,
    tags: Iterable[str] = (),
    untags: Iterable[str] = (),
    note: str | None = None,
) -> Labels:
    """Labels with another title, star or note (None: the same), with `tags` added and `untags` removed.

    Raises ConfigError for a label that is not allowed.
    """
    removed = {tag.strip() for tag in untags}
    kept = [tag for tag in labels.tags if tag not in removed]
    changed = Labels(
        title=labels.title if title is None else " ".join(title.split()),
        star=labels.star if star is None else star,
        tags=tuple(dict.fromkeys([*kept, *(tag.strip() for tag in tags)])),
        note=labels.note if note is None else note.strip(),
    )
    check_labels(changed)
    return changed


def change_labels(folders: Sequence[Path], **changes: Any) -> Text | None:
    """Change the labels of runs as `changed_labels` says; returns the first reason why one was not changed."""
    problem: Text | None = None
    for folder in folders:
        try:
            write_labels(folder, changed_labels(read_labels(folder)[0], **changes))
        except ConfigError as error:
            problem = problem or error.text
    return problem


def check_labels(labels: Labels) -> None:
    """Raises ConfigError for a label that is not allowed."""
    for tag in labels.tags:
        if not tag or len(tag) > LONGEST_TAG or not tag.isprintable() or any(sign in " ,\"'" for sign in tag):
            raise ConfigError("labels.tag", tag=tag, most=LONGEST_TAG)
    if len(labels.tags) > MOST_TAGS:
        raise ConfigError("labels.tags", most=MOST_TAGS)
    for field, text, most in (("title", labels.title, LONGEST_TITLE), ("note", labels.note, LONGEST_NOTE)):
        if len(text) > most:
            raise ConfigError("labels.long", field=field, length=len(text), most=most)


def _presentable(labels: Labels) -> Labels:
    """A stranger's labels: of bounded length and number, in printable characters."""
    tags = (plain_line(tag, LONGEST_TAG).replace(" ", "_") for tag in labels.tags[:MOST_TAGS])
    note = "\n".join(plain_line(line) for line in labels.note[:LONGEST_NOTE].splitlines())
    title = plain_line(labels.title, LONGEST_TITLE)
    return Labels(title, labels.star, tuple(dict.fromkeys(tag for tag in tags if tag)), note)
