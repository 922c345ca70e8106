"""The sentences of the command line."""

from __future__ import annotations

from dqngui.texts.language import Plural

TEMPLATES: dict[str, str | Plural] = {
    "command.trust_nothing": "--trust needs a stored run: --resume, --fork or --replay-knobs",
    "command.wrong": "{program}: {problem} (see {program} --help)",
    "command.unclear": "the arguments cannot be understood",
    "command.unread": "{name} {problem}",
    "command.missing": "{name} is missing",
    "command.both": "give a FILE or --env, not both (a FILE's environment changes with --set env.id=ID)",
    "command.env": "`{name}` is an environment, not a file with an experiment: write `--env {name}`",
    "command.none": ("there is no command, file or preset `{name}`; commands: {commands}; presets: {presets}"),
    "command.no_run_in": (
        "there is no run in `{runs}`; make one with `dqngui train`, or name another folder with --runs"
    ),
    "command.no_run_at": (
        "`{folder}` is no run: it has no experiment.toml; `dqngui runs {folder}` lists the runs in it, and "
        "`dqngui --runs {folder}` opens the window with them"
    ),
    "command.open_alone": "a stored run opens with its own settings: leave out --env, --agent, --set and --start",
    "command.no_run": "there is no run `{run}`, neither as a folder nor in `{runs}`; `dqngui runs` lists the runs",
    "command.many_runs": "several runs in `{runs}` are called `{run}`: {places}; write one of these",
    "command.star_both": "give --star or --unstar, not both",
    "command.no_folder": "there is no folder `{folder}`",
    "command.fork_alone": (
        "--fork uses the experiment of its run: combine it with --agent, --set and --steps, but not with a FILE, "
        "--env or --replay-knobs"
    ),
    "command.resume_alone": (
        "--resume continues a run without changes; it can be combined only with --steps, --break, --runs, --host "
        "and --json"
    ),
    "command.steps": "--steps must be at least 1",
    "command.replay_knobs_break": (
        "--replay-knobs sets the breakpoints of its run again, so it cannot be combined with --break"
    ),
    "command.seeds_alone": (
        "--seeds starts a new run for each seed; it cannot be combined with --resume, --fork or --seed"
    ),
    "command.seeds_break": "--break stops one run; it cannot be combined with --seeds",
    "command.jobs": "--jobs must be at least 1 and --test-episodes at least 0",
    "command.seeds": "--seeds {given}: write it as 0-4 or 0,3,7",
    "command.episodes": "--episodes must be at least 1",
    "command.checkpoint": "--checkpoint {given}: it is best, last or a step",
    "command.quit_after": "--quit-after must be a positive number of seconds",
    "command.task_hangs": (
        "dqngui: the environment did not return within {seconds:g} s while it was tried, so no window was opened"
    ),
    "command.task_waits": (
        "dqngui: waiting for {env}, which is made, stepped and closed in a process of its own before it is trained; it "
        "is given up after {seconds:g} s, and Ctrl+C ends this at once"
    ),
    "command.task_silent": (
        "{env} did not return within {seconds:g} s while it was tried (made, reset, stepped and closed), so nothing "
        "was started"
    ),
    "command.task_died": "{env} ended its process while it was tried, so nothing was started: {problem}",
    "command.warm_up": "--warm-up must be a number of seconds, 0 or more",
    "command.size": "--size {given}: write it as WIDTHxHEIGHT, for example 1440x900",
    "command.size_range": "--size {given}: from {smallest} to {largest}",
    "command.no_display": (
        "there is no display for a window: train with `dqngui train`, or draw offscreen with QT_QPA_PLATFORM=offscreen"
    ),
    "shown.error": "dqngui: {problem}",
    "shown.left_out": (
        "dqngui: {env} starts from clean settings: {paths} of {former} are left out; --set sets them for {env}"
    ),
    "shown.our_fault": "dqngui: this is an error in dqngui, not in your input; the lines above show where it happened",
    "shown.no_output": "dqngui: the output cannot be written: {problem}",
    "shown.refused": "`{field}` = {value} was refused: {reason}",
    "shown.forked": "Forked from {parent} at step {step:,}.",
    "shown.forked_with": "Forked from {parent} at step {step:,} with {changes}.",
    "shown.fresh": "These start anew: {parts}.",
    "shown.resumed": "The run continues from step {step:,}.",
    "shown.resumed_again": Plural(
        "lost",
        {
            "one": "The run continues from step {step:,}; {lost:,} step after its last checkpoint is repeated.",
            "other": "The run continues from step {step:,}; {lost:,} steps after its last checkpoint are repeated.",
        },
    ),
    "shown.left": "{speed:,.0f} steps/s  {minutes}:{seconds:02d} min left",
    "shown.return": "return {value:.4g}",
    "shown.evaluated": "evaluation {mean:.4g}",
    "shown.evaluated_best": "evaluation {mean:.4g} (highest {best:.4g})",
    "shown.evaluated_tested": "evaluation {mean:.4g} (kept: test {test:.4g})",
    "shown.stopping": (
        "Stopping: the run is saved once the present step returns (press Ctrl+C again to interrupt a step that hangs)"
    ),
    "shown.stopping_all": (
        "Stopping: all runs are saved once their present steps return (press Ctrl+C again to interrupt steps that hang)"
    ),
    "shown.still_saving": "Still saving (press Ctrl+C once more to end without saving)",
    "shown.saved_though": "What was learned up to step {step:,} is saved. Resume: dqngui train --resume {folder}",
    "shown.seed": "seed {seed}: {step:,} steps, {role} {mean:.4g}",
    "shown.seed_failed": "dqngui: seed {seed}: {problem}",
    "shown.no_runs": "No runs in `{folder}` yet. `dqngui train` makes one.",
    "shown.episode": Plural(
        "length",
        {
            "one": "episode {number}: return {value:.4g} in {length:,} step",
            "other": "episode {number}: return {value:.4g} in {length:,} steps",
        },
    ),
    "shown.mean_return": Plural(
        "count",
        {
            "one": "mean return {mean:.4g} over {count} episode, checkpoint of step {step:,}",
            "other": "mean return {mean:.4g} over {count} episodes, checkpoint of step {step:,}",
        },
    ),
    "shown.mean_return_interval": (
        "mean return {mean:.4g} over {count} episodes, 95\u00a0% interval {low:.4g} to {high:.4g}, "
        "standard deviation {spread:.4g}, checkpoint of step {step:,}"
    ),
    "shown.mean_return_few": (
        "mean return {mean:.4g} over {count} episodes, too few for an interval, standard deviation {spread:.4g}, "
        "checkpoint of step {step:,}"
    ),
    "shown.mean_return_equal": (
        "mean return {mean:.4g} over {count} episodes, all equal and so without an interval, "
        "checkpoint of step {step:,}"
    ),
    "shown.film": "film: {path}",
    "shown.completed": "Completed",
    "shown.solved": "Solved",
    "shown.stopped": "Stopped",
    "shown.failed": "Failed",
    "shown.columns": (
        "test: the kept checkpoint on test episodes; evaluation: on further episodes during training, which did not "
        "choose it; chosen at: the highest mean of repeated evaluations, so it flatters."
    ),
    "shown.test_mean": "test, mean of {count} seeds: {mean:.4g}, 95\u00a0% interval {low:.4g} to {high:.4g}",
    "shown.test_few": "test, mean of {count} seeds: {mean:.4g} (too few for an interval)",
    "shown.test_equal": "test, mean of {count} seeds: {mean:.4g} (all equal, so without an interval)",
    "shown.ended": "{how} at {step:,} steps, {speed:,.0f} steps/s",
    "shown.ended_best": "{how} at {step:,} steps, {speed:,.0f} steps/s, highest evaluation {best:.4g}",
    "shown.tested": "Test:   {test}",
    "shown.run": "Run:    {folder}",
    "shown.no_match": "No run in `{folder}` matches “{query}”.",
    "shown.group": Plural(
        "count",
        {"one": "{group}: {count:,} run", "other": "{group}: {count:,} runs"},
    ),
    "shown.group_mean": Plural(
        "count",
        {
            "one": "{group}: {count:,} run, mean test {mean} (n = {n:,})",
            "other": "{group}: {count:,} runs, mean test {mean} (n = {n:,})",
        },
    ),
    "shown.exported": "Wrote `{file}` ({size:,.1f} MB).",
    "shown.exported_part": (
        "Wrote `{file}` ({size:,.1f} MB), without a state from which the run could be continued: it has none, or it is "
        "being trained."
    ),
    "shown.imported": "Took in `{folder}`. It is a stranger's run: look at it with `dqngui {folder}`.",
    "shown.labels": "{label}: {value}",
    "shown.labels_unread": "{name}: {problem}",
    "shown.not_listed": "{problem}",
    "labels.not_shown": "{problem}",
    "shown.no_labels": "`{folder}` has no labels.",
    "shown.unreadable_run": "{name} cannot be read: {problem}",
    "shown.lines_passed_over": Plural(
        "count",
        {
            "one": "{count:,} line of the log is damaged. What it may have changed is not replayed: {problem}",
            "other": "{count:,} lines of the log are damaged. What they may have changed is not replayed: {problem}",
        },
    ),
    "shown.how_to_resume": "Resume: dqngui train --resume {folder}",
    "shown.how_to_play": "Play:   dqngui play {folder}",
    # the queue and sweeps
    "command.queue_move": "`dqngui queue move` takes one entry and --to, its new place counted from 1",
    "command.queue_set": "`dqngui queue set` takes --at-once N and nothing else",
    "command.queue_one": "`dqngui queue add` takes one FILE, or --env, --resume or --fork",
    "command.queue_names": "`dqngui queue {action}` needs entries: their numbers, their runs, or `all`",
    "command.queue_option": "--{option} does not go with `dqngui queue {action}`",
    "command.only_ray": "--{option} goes with --on ray only",
    "shown.queue_added": "entry {entry}: {folder}",
    "shown.queue_no_worker": "no worker is there yet: `dqngui work --runs {runs}` trains the queue",
    "shown.queue_empty": "the queue is empty; `dqngui queue add FILE` adds a run",
    "shown.queue_whole": "{at_once} at once, {workers} workers, time left: {left}",
    "shown.queue_whole_paused": "paused; {at_once} at once, {workers} workers, time left: {left}",
    "shown.queue_is_paused": "dqngui: the queue is paused; `dqngui queue resume` lets it go on",
    "shown.queue_stopping": "dqngui: saving all runs; they wait for another worker then",
    "shown.queue_taken": "entry {entry} trains: {folder}",
    "shown.queue_finished": "entry {entry} has finished: {folder}",
    "shown.queue_failed": "entry {entry} has failed: {folder}: {problem}",
    "shown.queue_waiting": "entry {entry} is saved and waits: {folder}",
    "shown.queue_lost": "entry {entry} waits and will be resumed: {folder}: {problem}",
    "shown.queue_paused": "entry {entry} is paused: {folder}",
    "shown.queue_reached": "entry {entry} is paused at the rung of step {step:,}: {folder}",
    "shown.queue_cancelled": "entry {entry} is cancelled: {folder}",
    "shown.sweep_made": "sweep {folder}",
    "shown.sweep_queued": "the runs of the sweep are in the queue; `dqngui work --runs {runs}` trains them",
    "shown.sweep_problem": "dqngui: the sweep {sweep} cannot go on: {problem}",
    "shown.sweep_trial": "trial {trial}: {label}",
    "shown.sweep_more_trials": "… and {count:,} more",
    "shown.sweep_size": "{trials:,} trials × {seeds:,} seeds = {runs:,} runs, at most {steps:,} environment steps",
    "shown.sweep_rungs": "paused and compared at {rungs} steps; without pruning it would be {whole:,} steps",
    "shown.sweep_time": "about {time} with {at_once} at once, by the speed of {like}",
    "shown.sweep_no_time": "how long it takes is not known: no stored run is like these",
    "shown.sweep_objective": "objective: {score}; IQM is the interquartile mean over the seeds",
    "shown.sweep_saved": "pruning saved {saved:,} environment steps; {made:,} were made",
    # steering
    "steer.nothing": "say what to do: --set NAME=VALUE, --pause, --resume, --save or --stop",
    "steer.contradiction": "--pause, --resume and --stop exclude one another",
    "steer.nobody": "no other process trains `{run}` now; `dqngui train --resume {run}` goes on with it",
    "steer.ended": "the process that trained `{run}` has ended",
    "steer.silent": "`{run}` did not answer within {seconds:g} s; an environment's step may be very slow",
    "steer.refused": "{setting} was not changed at step {step:,}: {problem}",
    "steer.changed": "{setting}: {old} → {new} from step {step:,}",
    "steer.paused": "paused at step {step:,}",
    "steer.paused_already": "paused already, at step {step:,}",
    "steer.resumed": "goes on from step {step:,}",
    "steer.not_paused": "not paused, at step {step:,}",
    "steer.saved": "saved at step {step:,}",
    "steer.stopped": "saved and stopped at step {step:,}",
    "shown.backtest": "{part} part, {first} to {last}; intervals of 95 % over {months} months",
    "shown.backtest_like_holding": "The agent held, as holding does: it earned nothing beyond that.",
    "shown.backtest_more": "The agent earned {low:.1f} to {high:.1f} % a year more than holding, after costs.",
    "shown.backtest_less": "The agent earned {low:.1f} to {high:.1f} % a year less than holding, after costs.",
    "shown.backtest_open": (
        "Whether the agent earns more or less than holding is not shown: {low:.1f} to {high:.1f} % a year, after costs."
    ),
    "backtest.other_task": "`{run}` was trained on {task}; a backtest needs dqngui/Trading-v0",
    "backtest.other_market": "`{first}` and `{other}` trade on different markets; give runs with equal `env` settings",
}
