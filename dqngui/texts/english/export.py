"""The sentences of the export of runs."""

from __future__ import annotations

from dqngui.texts.language import Plural

TEMPLATES: dict[str, str | Plural] = {
    "exported.no_format": "--to {name}: there is no such format; formats: {known}",
    "exported.no_package": (
        "the format {name} needs the package {package}, which is not installed: pip install {package}"
    ),
    "exported.no_folder": "{path} cannot be written: there is no folder {folder}",
    "exported.is_folder": "{path} cannot be written: it is a folder; name a file",
    "exported.no_out_folder": "{path} cannot be written: this format needs a folder, and that is a file",
    "exported.no_file": "{path} cannot be written: it is no regular file",
    "exported.another": (
        "{path} exists and is not an earlier export of this format, so it is left as it is; name another file "
        "with --out"
    ),
    "exported.not_written": "{path} cannot be written: {problem}",
    "exported.cut": "{path} could not be written whole and is removed; the disk may be full",
    "exported.follow_alone": "--follow cannot be combined with --to html: a report is made of what is there",
    "exported.online_alone": "--online belongs to --to wandb",
    "exported.no_login": (
        "--online needs a login at Weights & Biases: `wandb login`, or leave --online out and send the runs later with "
        "`wandb sync`"
    ),
    "exported.tracker": "{name} refused the export: {problem}",
    "exported.deleted_experiment": (
        "the MLflow experiment {name} was deleted there: restore it, or name another one with --project"
    ),
    "exported.ended": "the export ended with status {status} and said nothing",
    "exported.no_process": "no process could be started: {problem}",
    "exported.no_runs": "name at least one run to export",
    "exported.following": (
        "following {name} from step {step:,} until it ends (Ctrl+C ends the export; what is written by then is whole)"
    ),
    "exported.damaged": Plural(
        "count",
        {
            "one": "{count:,} line of the log of {name} is damaged and left out: {problem}",
            "other": "{count:,} lines of the log of {name} are damaged and left out: {problem}",
        },
    ),
    "exported.done": Plural(
        "rows", {"one": "{rows:,} number saved to {path}", "other": "{rows:,} numbers saved to {path}"}
    ),
    "exported.report_done": "report saved to {path}",
    "exported.stopped": "stopped; what is in {path} is whole up to here",
}
