"""The sentences about settings, presets and experiments."""

from __future__ import annotations

from dqngui.texts.language import Plural

TEMPLATES: dict[str, str | Plural] = {
    "setting.unknown": "unknown setting `{path}`; there are: {known}",
    "setting.none": "`{path}` is not a setting",
    "setting.not_of": "`{path}` is not a setting; {owner} has: {allowed}",
    "setting.of_experiment": "an experiment",
    "setting.of_choice": "this choice",
    "setting.of_choice_none": "no settings",
    "setting.not_finite": "`{path}` must be a finite number",
    "setting.out_of_range": "`{path}`: expected a number from {low:g} to {high:g}, got {value}",
    "setting.refused": "`{path}`: {reason}",
    "setting.not_a_wrapper": "`{path}` does not describe a wrapper; write each wrapper as {example}",
    "setting.number_as_text": (
        "`{path}`: expected a number, got the text `{given}`; write it without quotes, such as 0.001"
    ),
    "setting.refused_whole": "{reason}",
    "setting.not_live": "`{path}` cannot be changed while the run trains; fork the run to change it",
    "setting.schedule_not_live": (
        "`{path}`: while the run trains only a number can be set, not a schedule; fork the run to change the schedule"
    ),
    "setting.no_schedule": "`{path}` has no schedule to return to",
    "setting.number_or_text": "`{path}`: {reason}; a text is written in quotes: --set '{path}=\"{given}\"'",
    "setting.assignment": "`--set {given}`: write it as section.field=value, for example learn.lr=1e-3",
    "setting.no_such_choice": "`{path}`: there is no {kind} `{name}`; there are: {known}",
    "choice.attention": "attention",
    "choice.memory": "memory",
    "choice.algorithm": "algorithm",
    "choice.wrapper": "wrapper",
    "choice.host": "host",
    "setting.values_range": "`{path}`: {low:g} must be less than `{other_path}` = {high:g}",
    "setting.heads": "`{path}`: `{other_path}` = {width} cannot be divided by {heads} heads",
    "setting.replay_too_small": (
        "`{path}`: {capacity:,} steps over {envs} environments hold {each:,} each, too few for windows "
        "of {window} steps (burn-in or memory, window and n-step); at least {needed:,} are needed"
    ),
    "setting.no_device": "`run.device`: this machine has no `{name}`; there are: {known}",
    "setting.memory_needs_numbers": (
        "`net.memory`: {memory} forecasts observed numbers, but this environment shows only texts; choose another "
        "memory"
    ),
    "setting.decoupled_ppo": (
        "`learn.algorithm`: ppo learns a probability of every combination of actions; {dimensions} choices make "
        "{count:,}, whose values are learned choice by choice. Take dqn, fewer bins, or `env.several` joint"
    ),
    "setting.decoupled_categorical": (
        "`net.values`: categorical gives probabilities of the return of one action; the values of {dimensions} choices "
        "at once are averaged, so take mean or quantile, or `env.several` joint"
    ),
    "preset.no_agent": "there is no agent `{name}`; agents: {known}",
    "preset.none": "there is no file or preset `{name}`; presets: {known}",
    "preset.not_utf8": "`{source}` is not a text file in UTF-8",
    "preset.not_toml": "`{source}` is not a TOML file: {problem}",
    "preset.empty": '`{source}` is empty; it should say at least the environment: `[env]` and `id = "CartPole-v1"`',
    "preset.in_part": "`{source}` was written in part only: it lacks {missing}",
    "preset.no_name": "`{source}` is not the name of a file",
    "preset.wrong": "{source}: {problem}",
    "value.none": "none",
    "value.schedule": "{start:g} to {end:g} over {steps:,} steps",
    "value.number": "{value:.10g}",
    "value.count": "{value:,}",
}
