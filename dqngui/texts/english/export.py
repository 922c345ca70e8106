"""The sentences of the export of runs."""

from __future__ import annotations

from dqngui.texts.language import Plural

TEMPLATES: dict[str, str | Plural] = {
    "export.no_format": "--to {name}: there is no such format; formats: {known}",
    "export.no_package": (
        "the format {name} needs the package {package}, which is not installed: pip install {pip}"
    ),
    "export.no_folder": "{path} cannot be written: there is no folder {folder}",
    "export.is_folder": "{path} cannot be written: it is a folder; name a file",
    "export.no_out_folder": "{path} cannot be written: this format needs a folder, and that is a file",
    "export.no_file": "{path} cannot be written: it is no regular file",
    "export.another": (
        "{path} exists and is not an earlier export of this format, so it is left as it is; name another file with --out"
    ),
    "export.not_written": "{path} cannot be written: {problem}",
    "export.follow_alone": "--follow cannot be combined with --to html: a report is made of what is there",
    "export.online_alone": "--online belongs to --to wandb",
    "export.no_login": (
        "--online needs a login at Weights & Biases: `wandb login`, or leave --online out and send the runs later with "
        "`wandb sync`"
    ),
    "export.tracker": "{name} refused the export: {problem}",
    "export.deleted_experiment": (
        "the MLflow experiment {name} was deleted there: restore it, or name another one with --project"
    ),
    "export.no_runs": "name at least one run to export",
    "export.following": (
        "following {name} from step {step:,} until it ends (Ctrl+C ends the export; what is written by then is whole)"
    ),
    "export.damaged": Plural(
        "count",
        {
            "one": "{count:,} line of the log of {name} is damaged and left out: {problem}",
            "other": "{count:,} lines of the log of {name} are damaged and left out: {problem}",
        },
    ),
    "export.done": Plural(
        "rows", {"one": "{rows:,} number saved to {path}", "other": "{rows:,} numbers saved to {path}"}
    ),
    "export.report_done": "report saved to {path}",
    "export.stopped": "stopped; what is in {path} is whole up to here",
}
