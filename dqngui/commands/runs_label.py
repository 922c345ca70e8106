"""`dqngui runs label RUN`: title, star, tags and note that a person gives a run."""

from __future__ import annotations

from dqngui.commands.arguments import LabelArguments, shown_path
from dqngui.commands.experiments import run_folder
from dqngui.config import ConfigError
from dqngui.runs.folder import EXPERIMENT, has_experiment
from dqngui.runs.labels import Labels, changed_labels, read_labels, write_labels
from dqngui.texts import say


def run(arguments: LabelArguments) -> int:
    """Change the labels, print them, and return the exit status. Raises ConfigError."""
    if arguments.star and arguments.unstar:
        raise ConfigError("command.star_both")
    folder = run_folder(arguments.run, arguments.runs)
    if not has_experiment(folder):
        raise ConfigError("run.not_one", folder=shown_path(str(folder)), file=EXPERIMENT)
    before, problem = read_labels(folder)
    star = True if arguments.star else False if arguments.unstar else None
    labels = changed_labels(
        before, title=arguments.title, star=star, tags=arguments.tag, untags=arguments.untag, note=arguments.note
    )
    asked = star is not None or arguments.tag or arguments.untag
    if asked or arguments.title is not None or arguments.note is not None:
        write_labels(folder, labels)
    elif problem:
        raise ConfigError("labels.not_shown", problem=problem)
    _print(labels, shown_path(str(folder)))
    return 0


def _print(labels: Labels, folder: str) -> None:
    shown = {
        "title": labels.title, "star": "yes" if labels.star else "", "tags": ", ".join(labels.tags),
        "note": labels.note,
    }  # fmt: skip
    for label, value in shown.items():
        if value:
            print(say("shown.labels", label=label, value=value))
    if not labels:
        print(say("shown.no_labels", folder=folder))
