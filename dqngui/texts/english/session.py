"""What is said about the run that the window shows, about stored runs, and about pinned episodes."""

from __future__ import annotations

from dqngui.texts.language import Plural

TEMPLATES: dict[str, str | Plural] = {
    "session.busy": "A run is being trained here. Stop it before opening another one.",
    "session.no_run": "{path} is no run: it has no experiment.toml. Choose the folder of one run.",
    "session.not_opened": "The run cannot be opened: {problem}",
    "session.not_started": "Training could not start: {problem}",
    "session.not_resumed": "The run could not be resumed: {problem}",
    "session.not_forked": "The run could not be forked: {problem}",
    "session.damaged_log": "{problem}. Everything else in the log is shown.",
    "session.no_new_folder": "the run's folder cannot be made: {problem}",
    "session.lost": Plural(
        "lost",
        {
            "one": "Resumed from step {step:,}: {lost:,} step was lost.",
            "other": "Resumed from step {step:,}: {lost:,} steps were lost.",
        },
    ),
    "session.lost_with": Plural(
        "lost",
        {
            "one": "Resumed from step {step:,}: {lost:,} step was lost, and with it {changes}.",
            "other": "Resumed from step {step:,}: {lost:,} steps were lost, and with them {changes}.",
        },
    ),
    "suited.tried": "Tried for {steps:,} random steps ({speed:,.0f} per second): {episodes}.",
    "suited.added": "{tried} Wrappers added, so that an agent can use it: {wrappers}.",
    "suited.slow": "{env} did not answer for {seconds:d} seconds, so nothing was changed",
    "stored.busy": "This run is read-only here: process {pid:d} trains it now.",
    "stored.busy_somewhere": "This run is read-only here: another process trains it now.",
    "stored.never_saved": "This stored run is read-only. New run trains its experiment from the beginning.",
    "stored.complete": (
        "This stored run is read-only. All of its steps are trained. Train on adds steps to it, New run trains its "
        "experiment from the beginning."
    ),
    "stored.saved": (
        "This stored run is read-only. Resume goes on from step {step:,}, Fork branches from there, New run trains its "
        "experiment from the beginning."
    ),
    "fork.no_files": "This run keeps no files, so it cannot be forked.",
    "fork.never_saved": "This run was never saved, so it cannot be forked.",
    "fork.complete": (
        "The run has made all of its {total:,} steps. Raise Total steps to fork it, or use Train on to add steps to it."
    ),
    "resume.finished": "This run has finished. Train on adds steps to it.",
    "resume.impossible": "This run cannot be resumed or forked: it was never saved, or another process trains it.",
    "library.no_other_seed": "There is no other run of “{name}” that differs only in its seed.",
    "library.other_task": (
        "“{name}” was trained in {task} and the open run in {shown}: their returns cannot be compared in one plot."
    ),
    "library.open_here": "“{name}” is open here. Open another run or start a new one, then delete it.",
    "library.not_read": "the runs could not be read ({problem})",
    "library.curve_not_read": "The returns of a run could not be read ({problem}).",
    "library.not_deleted": "“{name}” was not deleted: {problem}.",
    "library.not_restored": "The run could not be restored: {problem}.",
    "pin.no_files": "This run keeps no files, so its episodes cannot be played again.",
    "pin.none_ended": "No episode has ended yet.",
    "pin.parent_read": (
        "Step {step:,} was trained in {parent}, the parent of this run, which is still being read. Try again in a "
        "moment."
    ),
    "pin.parent_gone": (
        "Step {step:,} was trained in {parent}, the parent of this run. Its folder is not next to this run's folder, "
        "so its episodes cannot be played."
    ),
    "pin.episode": "Episode {number:,}",
    "pin.episode_of": "Episode {number:,} of {run}",
    "pin.pinned": "pinned · episode {number:,}",
    "pin.pinned_of": "pinned · episode {number:,} of {run}",
    "pin.unplayable": "it cannot be played",
    "pin.opening": "its agent is being opened",
    "pin.unseen": "no card in sight shows it",
    "pin.differs": "this environment is not reproducible: the replay differs from the logged episode",
    "pin.weights": "seen by the checkpoint of step {step:,}",
    "pin.weights_during": "seen by the checkpoint of step {step:,}, stored during it",
    "pin.weights_after": "seen by the checkpoint of step {step:,}, stored after it",
    "pin.actions": "actions as recorded",
    "pin.actions_until": "actions as recorded up to step {step:,}",
    "pin.learned": "weights changed during this episode",
    "pin.length": "length {length:,}",
    "pin.checkpoint": "checkpoint {step:,}",
    "pin.checkpoint_later": "checkpoint {step:,} (later)",
    "pin.not_kept": "{episode} was not kept, so it cannot be played again.",
    "pin.folder_gone": "The folder of {run} is gone, so its episodes cannot be played again.",
    "pin.this_run": "this run",
    "pin.not_played": "{episode} cannot be played again: {problem}.",
    "pin.not_read": "{episode} cannot be read: {problem}.",
    "pin.no_weights": "{episode} cannot be played again: no weights are stored.",
    "pin.left_run": "Live again: the pinned episode belongs to the run that was closed.",
    "pin.lost": "Live again: the run resumed from an earlier step, so the pinned episode no longer belongs to it.",
}
