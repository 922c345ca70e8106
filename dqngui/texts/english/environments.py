"""The sentences about environments, wrappers, observations and actions."""

from __future__ import annotations

from dqngui.texts.language import Plural

TEMPLATES: dict[str, str | Plural] = {
    "env.of_library": "`{module}` is a part of Python itself and has no environments",
    "env.set_by_program": "`env.kwargs.{name}` is set by the program; leave it out",
    "env.none_near": "`env.id`: there is no environment `{name}`; did you mean {near}?",
    "env.none": "`env.id`: there is no environment `{name}`; for an environment of your own write `module:Id`",
    "env.or": "{first} or {second}",
    "env.needs_package": "`env.id`: {name} needs the package {package}: pip install {package}",
    "env.needs_package_and_module": (
        "`env.id`: {name} needs the package {package}: pip install {package}; then write `{full}`"
    ),
    "env.in_module": "`env.id`: {name} is in the module `{module}`; write `{module}:{name}`",
    "env.needs_extra": '`env.id`: {name} needs the package {package}: pip install "{package}"',
    "env.needs_missing": "`env.id`: {name} needs a package that is missing: {problem}",
    "env.no_pictures_in": "`env.id`: {name} cannot draw pictures ({mode})",
    "env.no_module": (
        "`env.id`: there is no Python module `{module}`, neither installed nor as a file in `{folder}`; start dqngui "
        "in the folder of the file, or write its path: `path/to/file.py:Id`"
    ),
    "env.no_file": "`env.id`: there is no file `{file}` (looked for from `{folder}`)",
    "env.module_needs_neighbour": (
        "`env.id`: the module `{module}` needs `{file}`, which lies beside it; write PYTHONPATH={folder} before the "
        "command"
    ),
    "env.old_gym": (
        "`env.id`: {name} is registered with the old package gym; write `import gymnasium as gym` in its module"
    ),
    "env.not_in_module": (
        "`env.id`: the module `{module}` has no environment `{name}`; write `{module}:NAME` with one of its own: "
        "{known}"
    ),
    "env.nothing_in_module": "`env.id`: the module `{module}` has no environment `{name}`, and none at all",
    "env.file_alone": "`env.id`: `{file}` is a file; name the class of the environment too: `{file}:CLASS`",
    "env.needs_arguments": ("`env.id`: {name} must be given arguments; write a value for each of them: {settings}"),
    "env.module_needs_package": "`env.id`: the module `{module}` needs the package {package}: pip install {package}",
    "env.module_needs_module": (
        "`env.id`: the module `{module}` imports `{needed}`, which is not installed; is its name spelt correctly?"
    ),
    "env.needs_module": "`env.id`: {name} imports the module `{module}`, which is not installed",
    "env.entry_point_of_no_module": (
        "`env.id`: the entry_point with which {name} is registered names the module `{module}`, which does not exist"
    ),
    "env.module_broken": "`env.id`: the module `{module}` cannot be imported: {problem}",
    "env.broke": "`env.id`: {name} failed when it was tried with random actions: {problem}",
    "env.no_legal_action": (
        "`env.id`: {name} allows no action at step {step} of an episode: all entries of its action mask are 0"
    ),
    "env.no_legal_option": (
        "`env.id`: {name} allows no option of choice {choice} at step {step} of an episode: its entries of the action "
        "mask are all 0"
    ),
    "env.mask_length": (
        "`env.id`: the action mask of {name} at step {step} has {length} entries; it needs one for each of the "
        "{actions} actions"
    ),
    "env.mask_entry": (
        "`env.id`: the action mask of {name} at step {step} contains {value}; its entries have to be 0 (not legal) "
        "or 1 (legal)"
    ),
    "env.mask_not_numbers": ("`env.id`: the action mask of {name} at step {step} is no array of 0 and 1, but {kind}"),
    "env.not_made": "`env.id`: {name} could not be made: {reason}",
    "fault.kind": "{kind}: {message}",
    "fault.bare": "{kind}",
    "fault.at": "{what} ({file}, line {line})",
    "fault.at_code": "{what} ({file}, line {line}: `{code}`)",
    "fault.no_space": "{name} has no `{attribute}`; gymnasium wants it to be set in `__init__` or in the class",
    "fault.odd_space": (
        "the `{attribute}` of {name} is {found}; gymnasium wants a space, such as `gymnasium.spaces.Discrete(4)`"
    ),
    "fault.old_space": (
        "the `{attribute}` of {name} is a space of the old package gym; write `from gymnasium import spaces`"
    ),
    "fault.reset": "`reset()` of {name} returns {found}; gymnasium wants (observation, info)",
    "fault.reset_seed": (
        "`reset()` of {name} takes no seed; gymnasium wants `def reset(self, *, seed=None, options=None)`"
    ),
    "fault.old_step": (
        "`step()` of {name} returns 4 values, as in the old package gym; gymnasium wants (observation, reward, "
        "terminated, truncated, info)"
    ),
    "fault.step": (
        "`step()` of {name} returns {found}; gymnasium wants (observation, reward, terminated, truncated, info)"
    ),
    "fault.step_count": (
        "`step()` of {name} returns {count} values; gymnasium wants (observation, reward, terminated, truncated, info)"
    ),
    "fault.reward": "the reward of {name} is {found}; it must be one number",
    "fault.reward_too_large": "{name} gave the reward {reward:g}; it must be a number between -1e100 and 1e100",
    "fault.flag": "`{which}` of {name} is {found}; it must be True or False",
    "fault.info": "the info of {name} is {found}; it must be a dictionary",
    "fault.observed": "{name} observed {found}, but its observation space is {space}",
    "fault.observed_part": "{name} observed {found} as `{part}`, but its observation space is {space} there",
    "fault.no_picture": "{name} drew no picture, which the wrapper with_picture adds to the observation",
    "fault.categories": (
        "{name} observed {value} as `{part}`, whose categories are 0 to {last} (its observation space: {space})"
    ),
    "fault.copies_differ": (
        "{name} has other spaces each time it is made: {given} after {first}; one network must fit all of them"
    ),
    "fault.once": (
        "`env.id`: {name} can be made only once at a time ({problem}); write `--set {settings}`, so that one "
        "environment is trained in and no evaluation opens another"
    ),
    "found.none": "None",
    "found.number": "{value} ({kind})",
    "found.array": "an array of shape {shape} ({kind})",
    "found.several": "{count} values in a {kind}",
    "found.object": "an object of the class {kind}",
    "found.keys": "a dictionary with the keys {keys}",
    "found.members": "a tuple of {count} parts",
    "found.missing": "nothing",
    "found.no_numbers": "something that is no number",
    "found.range": "numbers from {low} to {high} ({kind})",
    "found.category": "{value}",
    "found.category_at": "{value} (entry {index})",
    "env.no_argument": "`env.kwargs.{argument}`: {name} has no such argument",
    "env.no_argument_but": "`env.kwargs.{argument}`: {name} has no such argument; it has: {known}",
    "env.arguments_refused": "`env.kwargs`: {name} does not accept these arguments: {reason}",
    "env.continuous_actions": Plural(
        "count",
        {
            "one": "`env.id`: an action is {count} continuous number, which must be cut into bins",
            "other": "`env.id`: an action is {count} continuous numbers, which must be cut into bins",
        },
    ),
    "env.unbounded_actions": (
        "`env.id`: the actions are continuous numbers without finite bounds, which cannot be cut into bins"
    ),
    "env.many_continuous_actions": (
        "`env.id`: an action is {count:,} continuous numbers; 2 bins for each already make more than {most:,} actions, "
        "which is the most that can be used"
    ),
    "env.with_option": "{problem}; it works with {option} (in the window: {fields}, under Environment)",
    "env.actions_of_space": "`env.id`: the actions are a {space} space; a Q-network needs one Discrete choice",
    "env.far_too_many_actions": "`env.id`: the actions make more than 2⁶² combinations, which is the most possible",
    "env.too_many_actions": "`env.id`: the actions make {count:,} combinations; at most {most:,} can be one choice",
    "env.wrong_features": "`env.features`: {given} names for {count} entries in the observation",
    "env.wrong_actions": "`env.actions`: {given} names for {count} actions",
    "env.draws_nothing": "{env} draws no pictures",
    "env.drawing_failed": "{env} could not draw a picture: {problem}",
    "wrapper.refused": "`{path}` ({name}): {problem}",
    "wrapper.no_entries": "`entries` must name at least one entry, and each only once",
    "wrapper.keep_needs": "it needs a vector, dictionary or tuple, and the observation is {space}",
    "wrapper.no_key": "there is no entry {entry}; the observation's keys are {known}",
    "wrapper.no_member": "there is no entry {entry}; the observation's members are {known}",
    "wrapper.no_entry": "there is no entry {entry}; the vector's entries are {known}",
    "wrapper.picture_needs": "it needs one array or a dictionary, and the observation is {space}",
    "wrapper.picture_there": "the observation has a part `{part}` already",
    "wrapper.no_blank": "the part `{part}` cannot be blank: it is {space}",
    "wrapper.up_to": "0 to {last}",
    "wrapper.not_stacked": "{what} cannot be stacked",
    "wrapper.no_vehicles": (
        "it hides vehicles that a task of highway-env observes as a table with a number called presence, in its usual "
        "order, and this task has none"
    ),
    "wrapper.no_picture": (
        "it needs a picture of bytes or fractions, (rows, columns) or (rows, columns, channels); the observation is "
        "{space}"
    ),
    "wrapper.no_colours": "it needs a picture with three channels of colour, and the observation is {space}",
    "wrapper.no_noop": "it needs an environment whose first action is NOOP, as those of ale-py",
    "wrapper.no_buttons": "it needs an environment that tells what its actions mean, as those of ale-py",
    "wrapper.no_lives": (
        "the wrapper life_loss needs an environment that tells `lives` in its info, as those of ale-py; take it out of "
        "`env.wrappers`"
    ),
    "wrapper.no_game": "it needs a game of ale-py that shows pictures, such as ALE/Pong-v5",
    "wrapper.skips_itself": (
        "the game skips frames or repeats actions itself; leave that to the wrapper with --set env.kwargs.frameskip=1 "
        "--set env.kwargs.repeat_action_probability=0.0"
    ),
    "wrapper.discrete_already": "the actions are already discrete ({space})",
    "wrapper.no_bounds": "the actions have no finite bounds to cut into bins",
    "wrapper.bins_count": "`bins` has {given} numbers for {needed} action dimensions",
    "wrapper.bins_few": "`bins` must be at least 2 in every dimension, got {least}",
    "wrapper.bins_far_too_many": (
        "the bins of {dimensions:,} dimensions make more than 2⁶² combinations, which is the most possible; take fewer"
    ),
    "observation.nothing": "`{where}`: the observation has no entries",
    "observation.twice": "`{where}`: two parts of the observation are called `{name}`",
    "observation.empty": "the observation part `{name}` is empty (shape {shape})",
    "observation.categories": "the observation part `{name}` has {count:,} categories; at most {most:,} can be used",
    "observation.wrong": "`{where}`: {problem}",
    "observation.unreadable": (
        "`{where}`: the observation part `{name}` is {kind}, which no network here can read; supported are Box, "
        "Discrete, MultiDiscrete, MultiBinary, Text, and Dict or Tuple of them"
    ),
    "observation.own_row": (
        "`env.id`: the environment says that row {row} of the observation part `{name}` is the agent itself, but its "
        "{rows} rows count from 0"
    ),
    "token.own": "you",
    "token.own_of": "you ({part})",
    "space.text": "text",
    "space.other": "a {name} space",
    "trading.no_file": (
        "`env.kwargs.prices`: there is no file `{name}`; write the path of a CSV file, `seasonal`, or one of {indices}"
    ),
    "trading.no_text": "`env.kwargs.prices`: `{name}` is no text in UTF-8",
    "trading.needs_package": "`env.kwargs.prices`: {name} needs the package {package}: pip install {package}",
    "trading.no_data_in_package": (
        "`env.kwargs.prices`: the installed package {package} holds no prices of {name} that can be read"
    ),
    "trading.too_long": "`{name}` has more than {most:,} bars; leave out the oldest ones",
    "trading.too_short": "`{name}` has {bars:,} bars; at least {fewest:,} are needed",
    "trading.no_columns": (
        "`{name}` needs a header with the columns `date` and `close`, as in `date,open,close`; its first line has "
        "{columns}"
    ),
    "trading.no_date": "`{name}`, line {line}: `{found}` is no date; write 2018-12-31",
    "trading.no_price": (
        "`{name}`, line {line}: the {what} is `{found}`; a price must be a number above 0. Leave out bars without "
        "prices"
    ),
    "trading.twice": "`{name}`, line {line}: {date} comes twice",
    "trading.order": "`{name}`, line {line}: {date} comes after {before}; sort the bars by date, the oldest first",
    "trading.gap": (
        "`{name}`, line {line}: {days} days are missing after {date}; give the prices on one side of the gap only"
    ),
    "trading.split": (
        "`{name}`: on {date} the price goes from {before:g} to {after:g}, which looks like a split; give prices that "
        "are adjusted for splits, for example in a column `adjusted close`"
    ),
    "trading.no_fold": "`env.kwargs.fold` is {fold}, but there are {folds} folds, counted from 0",
    "trading.part_too_short": (
        "`env.kwargs.steps`: the {part} part has {bars:,} bars, too few for episodes of {steps:,} bars that see "
        "{window} changes; take shorter episodes, fewer folds, or more prices"
    ),
    "trading.leak": (
        "the market looks into the future: {what} at bar {bar} ({date}) depends on later prices, or is filled at a "
        "price that was known when it was decided"
    ),
}
