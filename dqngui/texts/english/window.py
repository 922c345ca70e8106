"""What the window says about itself: errors, files that it wrote or could not write, and questions before it closes."""

from __future__ import annotations

from dqngui.texts.language import Plural

TEMPLATES: dict[str, str | Plural] = {
    "window.error": "Internal error of the window: {problem}. Training is not affected. Please report it.",
    "window.unsaved": "This run keeps no files. Quitting loses {minutes:.1f} minutes of training.",
    "window.saving": "The run is still being saved.",
    "window.waiting": (
        "dqngui: waiting for the run to be saved since {seconds:.0f} s; a step of the environment does not return"
    ),
    "window.left": "dqngui: the run could not be saved again; Resume goes on from its last saved state",
    "form.own_process": (
        "This task is not of a known package, so it trains in a process of its own: a step that crashes or hangs "
        "leaves the window alone."
    ),
    "window.loading": "Something is still being loaded.",
    "window.unfinished": (
        "“{title}” was training when the window closed. It is saved up to step {step:,} of {total:,}."
    ),
    "window.resume": "Resume goes on from the last checkpoint.",
    "window.new_run": "New run unlocks the experiment.",
    "window.no_torch": "torch cannot be loaded: {problem}",
    "window.no_folder": "cannot make the folder {folder}: {problem}",
    "window.no_picture": "cannot write {path}",
    "knob.pending": "{knob} → {value}: pending…",
    "knob.refused": "{knob} was not changed: {reason}",
    "export.not_written": "The file could not be written: {problem}.",
    "export.nothing_written": "Nothing was written: {problem}.",
    "export.no_film": "The film could not be made: {problem}.",
    "export.problem": "`{path}`: {problem}",
    "export.cancelled": "cancelled",
    "export.film_left": "the player left the episode before its film was done",
    "export.film_nothing": "there is no episode to film",
    "export.other_episode": "another episode was chosen before this one was complete",
    "export.encoder": "the encoder failed: {problem}",
    "export.saved": "Saved as {name}",
    "overlay.other_task": "another task",
    "overlay.other_task_tip": "Another task: its returns are drawn, but the axes do not make room for them",
    "return.starting": "Training starts. No episode has ended yet.",
    "return.training": "Training, step {step:,}. No episode has ended yet.",
    "return.paused": "Paused at step {step:,}. No episode has ended yet.",
    "return.stopping": "Training stops at step {step:,}. No episode has ended yet.",
    "return.ended": "This run is at step {step:,}, and no episode has ended yet.",
    "return.reading": "The log of this run is being read.",
    "runs.no_match": "No run matches “{text}”.",
    "runs.exporting": Plural("count", {"one": "Writing {count:d} run…", "other": "Writing {count:d} runs…"}),
    "runs.exported": "Wrote “{file}”.",
    "runs.exported_some": Plural(
        "count", {"one": "Wrote {count:d} run to “{place}”.", "other": "Wrote {count:d} runs to “{place}”."}
    ),
    "runs.importing": Plural("count", {"one": "Reading {count:d} run…", "other": "Reading {count:d} runs…"}),
    "runs.imported": "Took in “{name}”.",
    "runs.imported_some": Plural("count", {"one": "Took in {count:d} run.", "other": "Took in {count:d} runs."}),
    "runs.deleted": "Deleted “{name}”.",
    "runs.deleted_some": Plural("count", {"one": "Deleted {count:d} run.", "other": "Deleted {count:d} runs."}),
    "runs.deleted_but": Plural(
        "count",
        {
            "one": "Deleted {count:d} run. {kept:d} could not be deleted.",
            "other": "Deleted {count:d} runs. {kept:d} could not be deleted.",
        },
    ),
}
