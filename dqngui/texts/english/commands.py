"""What the command line says."""

from __future__ import annotations

from dqngui.texts.language import Plural

TEMPLATES: dict[str, str | Plural] = {
    "command.wrong": "{program}: {problem} (see {program} --help)",
    "command.both": "give a FILE or --env, not both (a FILE's environment changes with --set env.id=ID)",
    "command.none": (
        "there is no command, file or preset `{name}`; commands: gui, train, play, runs; presets: {presets}"
    ),
    "command.no_run_in": "there is no run in `{runs}`",
    "command.no_run": "there is no run `{run}`, neither as a folder nor in `{runs}`",
    "command.no_folder": "there is no folder `{folder}`",
    "command.fork_alone": (
        "--fork takes the run's own experiment: it goes with --agent, --set and --steps, but not with a FILE, --env or "
        "--replay-knobs"
    ),
    "command.resume_alone": (
        "--resume continues a run as it is; beside it there may be --steps, --break, --runs, --host and --json"
    ),
    "command.steps": "--steps must be at least 1",
    "command.replay_knobs_break": (
        "--replay-knobs sets the breakpoints of its run again, so it does not go with --break"
    ),
    "command.seeds_alone": ("--seeds starts new runs, one a seed; it goes with neither --resume nor --fork nor --seed"),
    "command.seeds_break": "--break stops one run; it does not go with --seeds",
    "command.jobs": "--jobs must be at least 1 and --test-episodes at least 0",
    "command.seeds": "--seeds {given}: write it as 0-4 or 0,3,7",
    "command.episodes": "--episodes must be at least 1",
    "command.checkpoint": "--checkpoint {given}: it is best, last or a step",
    "command.quit_after": "--quit-after must be a positive number of seconds",
    "command.warm_up": "--warm-up must be a number of seconds, 0 or more",
    "command.size": "--size {given}: write it as WIDTHxHEIGHT, for example 1440x900",
    "command.size_range": "--size {given}: from {smallest} to {largest}",
    "command.no_display": (
        "there is no display for a window: train with `dqngui train`, or draw offscreen with QT_QPA_PLATFORM=offscreen"
    ),
}
