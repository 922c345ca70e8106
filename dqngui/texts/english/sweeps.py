"""The sentences of the queue, its workers, and sweeps."""

from __future__ import annotations

from dqngui.texts.language import Plural

TEMPLATES: dict[str, str | Plural] = {
    # the queue
    "queue.not_read": "the queue `{path}` cannot be read: {problem}",
    "queue.not_written": "the queue `{path}` cannot be written: {problem}",
    "queue.damaged": (
        "the queue `{path}` is damaged; the runs are not: remove this file, and add the runs again with "
        "`dqngui queue add --resume RUN`"
    ),
    "queue.outside": "`{folder}` is not inside the folder of runs `{runs}`, so it cannot be in its queue",
    "queue.no_entry": "the queue has no entry {entry}; `dqngui queue list` shows them",
    "queue.no_run": "`{run}` is not in the queue; `dqngui queue list` shows what is",
    "queue.not_waiting": "entry {entry} does not wait, so it has no place to be moved from",
    "queue.cannot": "entry {entry} is {state}: nothing to {action}",
    "queue.running": "entry {entry} is being trained: cancel it first",
    "queue.at_once": "{given} runs at once: it is a whole number from 1 to {most}",
    "queue.too_many": "the queue would have {count:,} entries; it holds at most {most:,}",
    "queue.run_gone": "the folder of the run is gone: `{run}`",
    "queue.has_finished": "`{run}` has made all of its {step:,} steps; give more with --steps to go on",
    "queue.lost_often": "its process was lost {times:d} times in a row, and the run came no further: {problem}",
    "queue.ended_silently": "the process ended without a word",
    "queue.stopped_by_somebody": "stopped from outside the queue",
    "queue.has_begun": "entry {entry} has begun, so its threads and its device stay as they are",
    "queue.no_folder": "there is no queue, because the runs of this window are not stored",
    "queue.added": Plural(
        "count", {"one": "{count:,} run was added to the queue", "other": "{count:,} runs were added to the queue"}
    ),
    "queue.added_paused": Plural(
        "count",
        {
            "one": "{count:,} run was added to the queue, which is paused",
            "other": "{count:,} runs were added to the queue, which is paused",
        },
    ),
    "queue.sweep_not_made": "the sweep cannot go on: {problem}",
    "queue.no_worker": "the worker of the queue was not started: {problem}",
    "queue.worker_gone": "the worker of the queue has ended: {problem}; its runs wait",
    "queue.worker_killed": "it was ended by {signal}",
    "queue.worker_failed": "{problem}",
    # sweeps
    "sweep.none": "there is no file and no sweep `{name}`; shipped sweeps: {known}",
    "sweep.base": "base: give either `file` (a preset or a TOML file) or `env`",
    "sweep.axes": "axes: a sweep varies at least one and at most {most} axes",
    "sweep.axis_kind": "{axis}: give either `values`, or `low` and `high`, or `choices`, and not empty",
    "sweep.no_setting": "{axis}.setting is missing: name the setting that is varied, for example `learn.lr`",
    "sweep.too_many_values": "{axis}: at most {most:,} values",
    "sweep.range": "{axis}: `low` must be a number below `high`",
    "sweep.log_range": "{axis}.low is {low:g}: a range over magnitudes (`log = true`) begins above 0",
    "sweep.count": "{axis}.count is missing: a grid needs to know how many values of the range to try",
    "sweep.not_range": "{axis}: `count` and `log` belong to a range (`low` and `high`)",
    "sweep.choices_alone": (
        "{axis}: `choices` name their own settings, so `setting`, `count` and `log` do not belong there"
    ),
    "sweep.empty_choice": "{axis}: each choice needs an `agent` or `settings`",
    "sweep.seed_axis": "axes: `run.seed` is not varied by an axis; give `seeds`, which every trial gets",
    "sweep.number": "`{given}`: {problem}",
    "sweep.twice": "axes: `{setting}` is set by two axes",
    "sweep.trials_missing": "trials is missing: `{sampler}` needs to know how many to make",
    "sweep.trials_of_grid": "trials: a grid makes all combinations; give `trials` with `random` or `tpe`",
    "sweep.reach": "objective.reach: it belongs to `steps_to`, which needs it, and to no other score",
    "sweep.lower": "objective.lower: it belongs to a measure (`objective.measure`); more return is always better",
    "sweep.tpe_pruning": (
        "pruning: it works with `grid` and `random`; `tpe` chooses trials by the results of whole runs"
    ),
    "sweep.too_many_trials": "the sweep has {count:,} trials; at most {most:,} are made",
    "sweep.too_many_runs": (
        "the sweep has {count:,} runs ({trials:,} trials with {seeds:,} seeds); at most {most:,} are made"
    ),
    "sweep.trials_damaged": "the trials `{path}` cannot be read",
    "sweep.foreign": (
        "the trial {trial} needs code of an environment that the base does not use; make a sweep for each environment"
    ),
    "sweep.no_score": (
        "the runs would never be evaluated (run.eval_every = {every:,}, run.total_steps = {total:,}), so the objective "
        "never appears; set run.eval_every"
    ),
    "sweep.trial_wrong": "the trial {trial}: {problem}",
    "sweep.first_rung": (
        "pruning.first is {first:,}: the first rung lies after the first evaluation (run.eval_every = {every:,}) and "
        "before the end of a run (run.total_steps = {total:,})"
    ),
    "sweep.steps_differ": "with pruning, all trials have the same run.total_steps",
    # runs that train elsewhere
    "elsewhere.watched": (
        "Another process trains this run. It is steered from here as one of this window, and goes on when it is closed."
    ),
    "elsewhere.unreadable": "the run `{folder}` cannot be followed any more: {problem}",
    "elsewhere.not_sent": (
        "nothing was sent: no command can be put into `{folder}` now (read-only, or nobody trains it yet)"
    ),
    "elsewhere.gone": "the folder of the run is gone: `{folder}`",
    "elsewhere.killed": "the process that trained the run was killed; it can be resumed from its last save",
    # optional libraries
    "extra.missing": "{what} needs {package}: pip install '{package}', or 'dqngui[{extra}]'",
    "extra.tpe": "the sampler `tpe`",
    "extra.ray": "training on a Ray cluster",
    # Ray
    "ray.no_cluster": "the Ray cluster `{address}` cannot be reached: {problem}",
    "ray.no_room": (
        "no node of the Ray cluster has {cpus:,} CPUs and {gpus} GPUs; run.threads and run.device say what a run needs"
    ),
    "ray.other_version": "the node {node} has dqngui {there}, and this is {here}; they must be the same version",
    "ray.not_begun": "the run could not begin on the Ray cluster: {problem}",
    "ray.not_written": "the folder of the run `{folder}` cannot be written any more: {problem}",
    "ray.broken": "the work on the node failed ({problem})",
    "ray.lost": "the node {node} of the Ray cluster was lost",
    "ray.gone": "the Ray cluster does not answer any more; its runs wait in the queue for the next worker",
    "mirror.no_piece": "a node sent what is no part of a run: {kind} `{name}`",
}
