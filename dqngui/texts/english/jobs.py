"""The sentences about training and playing: refusals, warnings, breakpoints, interventions, films."""

from __future__ import annotations

from dqngui.texts.language import Plural

TEMPLATES: dict[str, str | Plural] = {
    "train.without_locks": (
        "The file system of this run's folder has no locks: take care that no second process trains it at the same "
        "time."
    ),
    "train.no_folder": "resuming needs the folder of a run",
    "train.no_experiment": "a new run needs an experiment",
    "train.nothing_to_save": (
        "Nothing was saved, because the network's weights are no longer finite numbers; the last checkpoint is intact."
    ),
    "train.not_finite": "the {what} became {value} at step {step:,}; {remedy}",
    "train.loss": "loss",
    "train.gradient": "gradient",
    "train.remedy": "a smaller learning rate, a smaller reward scale or a lower gradient clip may help",
    "train.sent_not_finite": "{environment} gave {what} that is not a finite number",
    "train.reward": "a reward",
    "train.observation": "an observation",
    "train.derived": "Derived from the task ({task}): {settings}",
    "train.derived_anew": (
        "This fork trains another task than its parent, so the task was measured and what follows from it was derived "
        "anew ({task}): {settings}"
    ),
    "train.later_steps": (
        "an episode had {length:,} steps, and windows start with the episode and hold {window:,} steps "
        "(`learn.window_from`, `learn.window`): later steps are never learned; let windows start anywhere or make them "
        "longer"
    ),
    "train.no_update": (
        "nothing was learned: the run ended after {steps:,} steps without an update; it needs more steps than its "
        "warm-up (`learn.warmup` = {warmup:,}) and an episode or a window of {window:,} steps; train for longer "
        "(`run.total_steps`)"
    ),
    "train.no_update_rollout": (
        "nothing was learned: the run ended after {steps:,} steps without an update; it needs several rollouts of "
        "{rollout:,} steps in each of {envs} environments (`learn.rollout`); train for longer (`run.total_steps`) or "
        "make rollouts shorter"
    ),
    "train.added": "Wrappers added to the environment, so that an agent can use it: {wrappers}",
    "train.added_keep": "keep (of the observation only {entries}; no network reads the rest)",
    "train.added_keep_without": (
        "keep (of the observation only {entries}; left out: {left_out}, which no network reads)"
    ),
    "train.strayed": (
        "{environment} observed {value:.4g} in `{part}`, outside its observation space ({low:.4g} to {high:.4g}); the "
        "number is used as it is, but what is derived from the bounds does not fit it"
    ),
    "train.single": (
        "{environment} can be made only once at a time, so there are no evaluations (`run.eval_every` = 0), one "
        "environment is trained in (`env.num_envs` = 1), and nothing plays beside training"
    ),
    "train.added_discretize": "discretize ({bins} bins for each continuous number of an action: {actions} actions)",
    "train.task": "{steps:,} random steps, {speed:,.0f} steps/s, {episodes}",
    "train.task_length": "episodes of {length} steps",
    "train.legal": "{environment} tells which actions are legal (action mask): the agent chooses among these only",
    "train.legal_gaps": (
        "{environment} told which actions are legal, but gave no action mask at a later step: where it gives none, all "
        "actions count as legal"
    ),
    "train.measures": (
        "{environment} gives measures of an episode in `info` that are left out: a measure is a finite number under a "
        "short name, and there are at most {most} of them"
    ),
    "train.task_limit": "episodes of at most {length} steps",
    "train.task_lengths": "episodes of {shortest} to {longest} steps",
    "train.task_unfinished": "no episode ended",
    "train.cut": (
        "{environment} sets no time limit, so a greedy episode is cut, this time after {steps:,} steps; its return "
        "counts the rewards up to there"
    ),
    "train.evaluation_not_finite": (
        "the mean return of this evaluation is {mean}, so it is no candidate for the best checkpoint"
    ),
    "train.not_repeated": Plural(
        "count",
        {
            "one": (
                "{environment} is not reproducible (the same seed and actions give another episode): {count} running "
                "episode was abandoned"
            ),
            "other": (
                "{environment} is not reproducible (the same seed and actions give another episode): {count} running "
                "episodes were abandoned"
            ),
        },
    ),
    "train.starving": (
        "nothing is learned: the replay keeps only the last {rows:,} steps of each environment, and no window can be "
        "drawn from them; raise `learn.replay_capacity`"
    ),
    "train.starving_from_start": (
        "nothing is learned: the replay keeps only the last {rows:,} steps of each environment, and no window can be "
        "drawn from them; raise `learn.replay_capacity`, or let windows start anywhere (`learn.window_from`)"
    ),
    "train.device_measured": (
        "`run.device` was auto and is now {device}, the faster one for this agent: acting and learning took {times} "
        "for each environment step"
    ),
    "train.device_time": "{milliseconds:.2f} ms on {device}",
    "train.replay_too_large": (
        "a full replay would take {steps} of steps, and this process may use {room}: lower learn.replay_capacity"
    ),
    "train.replay_too_large_states": (
        "a full replay would take {steps} of steps and {states} of the memory's states, and this process may use "
        "{room}: lower learn.replay_capacity, raise learn.state_stride or make the memory smaller"
    ),
    "train.replay_too_large_twice": (
        "to resume, the saved replay ({saved}) and the new one ({replay}) must be in memory together, and this process "
        "may use {room}: resume on a machine with more memory, or fork the run with a lower learn.replay_capacity"
    ),
    "train.room": (
        "The full replay of {rows:,} steps will take {size} of memory, and as much on the disk in the run's folder"
    ),
    "train.disk_room": (
        "the full replay will take {size} on the disk, where {free} are free: make room, or lower learn.replay_capacity"
    ),
    "train.no_stacks": (
        "the observation `{part}` is said to be a stack of {frames} frames, but {share:.0%} of the stacks are not made "
        "of the last frames; kept whole, they need {needed}, and this process may use {room}: lower "
        "learn.replay_capacity"
    ),
    "train.replay_no_room": "there is no room in memory for a full replay of {replay}: lower learn.replay_capacity",
    "size.gigabytes": "{size:,.1f} GiB",
    "fork.too_few_steps": (
        "`run.total_steps`: the fork of `{folder}` starts at step {step:,}, so it needs a total of more "
        "than {total:,} steps"
    ),
    "fork.old_version": (
        "`{folder}` was saved by an earlier version, from which no run can be forked; resume and stop the run once, "
        "then fork it"
    ),
    "fork.change": "{path}: {old} → {new}",
    "breakpoint.unreadable": "`{given}` is not a breakpoint; write it as `loss > 10`, `return < 50` or `loss nan`",
    "breakpoint.unknown": "a breakpoint can be set on {known}, not on `{quantity}`",
    "breakpoint.no_number": "`{given}` is not a breakpoint: {problem}",
    "play.no_folder": "playing needs the folder of a run",
    "play.wrong_options": "cannot play: {problem}",
    "play.other_device": "This machine has no {device}, so the agent plays on the CPU",
    "play.nothing_to_film": "`{env}` draws no pictures, so it cannot be filmed",
    "play.missing_picture": "`{env}` drew no picture at step {step:,} of the episode, so there is no film of it",
    "play.too_long": "Only the first {steps:,} steps of an episode can be shown: more would need too much RAM.",
    "play.single": (
        "{env} can be made only once at a time, so nothing plays beside training; open the run once it has ended"
    ),
    "play.alone": "{env} can be made only once at a time, so only its newest steps can be shown",
    "play.not_repeating": (
        "{env} is not reproducible (the same seed and actions give another episode), so only its newest steps can be "
        "shown"
    ),
    "agent.none": "an agent needs the folder of a run, or an experiment",
    "agent.unfit": "the weights do not fit the network of the experiment",
    "film.suffix": "`{path}`: the name of a film must end in .mp4 or .gif",
    "film.no_folder": "`{path}`: there is no folder `{folder}`",
    "film.broken": "`{path}`: the film could not be written; the disk may be full",
    "change.action_places": "`action` can only be set to one action; it has no indices",
    "change.no_action": "`action`: there is no action {action:g}, only 0 to {last}",
    "change.no_action_named": "`action`: there is no action {action:g}, only 0 to {last} ({names})",
    "change.not_legal": "`action`: {action} is not legal at step {step}; the environment allows {allowed} there",
    "change.option_not_legal": "`action`: not all of its options {options} are legal at step {step}",
    "change.no_steps": "`{target}`: there is no step from {first} to {last}",
    "change.no_number": "`{target}`: {value} is not a finite number, so nothing can be set to it or scaled by it",
    "change.without_effect": (
        "`{pattern}` is only shown, and changing it would have no effect; what can be changed: {known}"
    ),
    "change.unknown": "this agent has no `{pattern}`; what can be changed: {known}",
    "change.axes": "`{name}`: has {count} axes ({axes}), not {given}",
    "change.no_place": "`{name}`: there is no {axis} {place}, only 0 to {last}",
    "change.no_entries": "`observation`: its entries have no names here, so none can be changed",
    "change.out_of_range": "`observation`: {name} cannot be {value:g}, only 0 to {most:g}, whole numbers",
}
