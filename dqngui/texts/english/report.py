"""The words of the report in HTML."""

from __future__ import annotations

from dqngui.texts.language import Plural

TEMPLATES: dict[str, str | Plural] = {
    "report.made_by": "Made with dqngui {version} from the folders of the runs.",
    "report.comparison": "Comparison of {count:,} runs",
    "report.groups": Plural(
        "count",
        {
            "one": "{runs:,} runs in {count:,} group: they differ in nothing but their seeds",
            "other": "{runs:,} runs in {count:,} groups; runs of a group differ in nothing but their seeds",
        },
    ),
    "report.curves": "Curves",
    "report.chart_return": "Return of an episode",
    "report.chart_groups": "Mean return of evaluations, interquartile mean over the runs",
    "report.iqm_note": (
        "Thick: interquartile mean over the runs of a group, where all of them have data; shaded: its 95\u00a0% "
        "interval, of each step alone, where there are enough runs for one; thin: each run."
    ),
    "report.line_episodes": "training episodes",
    "report.line_mean": "mean of {count}",
    "report.line_evaluations": "greedy evaluations, mean",
    "report.line_group": Plural("runs", {"one": "{name} ({runs} run)", "other": "{name} ({runs} runs)"}),
    "report.environment_steps": "environment steps",
    "report.axis_note": (
        "All curves are over environment steps; dashed vertical lines mark changes while it was trained."
    ),
    "report.no_curves": "The log of the run has no episodes and no evaluations yet.",
    "report.gaps": "Values that are not finite leave gaps in the curves: {names}.",
    "report.figures": "Mean return of the best checkpoints, on episodes that did not choose them",
    "report.inside": "An episode of the agent",
    "report.episode": (
        "Greedy episode with seed {seed}: return {ret:.5g} in {length:,} steps, with the weights of step {step:,}."
    ),
    "report.episode_cut": (
        "The first {length:,} steps of the greedy episode with seed {seed}: return {ret:.5g} so far, with the weights "
        "of step {step:,}."
    ),
    "report.no_episode": "{name} is shown without an episode: {problem}",
    "report.no_checkpoint": "no weights of it were saved yet",
    "report.no_player": "the process that plays it has ended",
    "report.silent": "the environment gave nothing for {seconds:g} s",
    "report.failed": "{problem}",
    "report.no_film": "The environment draws no pictures.",
    "report.pictures_too_large": "The pictures are too large for a report.",
    "report.no_views": "The network of this agent records nothing that could be shown as a map.",
    "report.too_old": "This browser is too old to unpack the episode.",
    "report.no_script": "The episode is shown by a script, which this browser does not run.",
    "report.which_episode": "Episode of",
    "report.slider": "Step of the episode",
    "report.rounded": (
        "← and → move by a step, Page Up and Page Down by ten, Home and End to the ends. Rounded: maps to 255 levels "
        "of their range, action values and rewards to five digits; pictures are compressed."
    ),
    "report.over_time": "rows: {rows}; columns: steps",
    "report.axes": "rows: {rows}; columns: {columns}",
    "report.one_row": "columns: {columns}",
    "report.signed_span": "−{largest:.3g} to {largest:.3g}",
    "report.share_span": "0 to {largest:.3g}",
    "report.past_step": "past step",
    "report.every": "every {every}th step is kept",
    "report.word_step": "step",
    "report.word_play": "Play",
    "report.word_pause": "Pause",
    "report.word_picture": "The environment at step",
    "report.word_so_far": "return so far:",
    "report.plain_agent": "no attention, no memory",
    "report.fact_task": "task",
    "report.fact_agent": "attention and memory",
    "report.fact_algorithm": "algorithm",
    "report.fact_seed": "seed",
    "report.fact_steps": "steps",
    "report.fact_training": "training time",
    "report.fact_state": "state",
    "report.fact_began": "started",
    "report.settings": "Settings",
    "report.derived": "derived",
    "report.other_settings": "All other settings: at their defaults, or derived from the task and the other settings",
    "report.same_settings": "Settings that are the same in all runs",
    "report.no_difference": "All runs have the same settings, their seeds aside.",
    "report.ledger": "What happened while it was trained",
    "report.no_ledger": "No live setting was changed, and there was nothing to note.",
    "report.more_notes": "{more:,} further lines are in the log only.",
    "report.runs": "Runs",
    "report.column_setting": "setting",
    "report.column_value": "value",
    "report.column_step": "step",
    "report.column_kind": "kind",
    "report.column_what": "what",
    "report.column_interval": "95\u00a0% interval",
    "report.column_mean": "mean",
    "report.column_median": "median",
    "report.column_title": "title",
    "report.column_run": "run",
    "report.column_test": "test of the best checkpoint",
}
