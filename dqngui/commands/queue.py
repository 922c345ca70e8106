"""`dqngui queue`: adds runs to the queue of a folder of runs, shows it and changes it."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import msgspec

from dqngui.commands.arguments import TrainArguments
from dqngui.commands.arguments_of_many import QueueArguments
from dqngui.commands.experiments import experiment_of, forked_experiment, run_folder, stored_run, tell_now
from dqngui.commands.output import table, write_json_line
from dqngui.commands.trial import check_task
from dqngui.config import ConfigError
from dqngui.messages.json_lines import to_json
from dqngui.sweeps.adding import add_new, add_resumed, queue_fork, with_seeds
from dqngui.sweeps.entry import Entry
from dqngui.sweeps.overview import Overview, Overviews, QueuedRun
from dqngui.sweeps.queue import Queue
from dqngui.sweeps.seeds import seeds_of
from dqngui.texts import Text, say, words
from dqngui.texts.numbers import duration, progress

ACTIONS = ("list", "add", "move", "pause", "resume", "retry", "cancel", "remove", "set")


def run(arguments: QueueArguments) -> int:
    """Carry out one action and return the exit status. Raises ConfigError."""
    queue = Queue(Path(arguments.runs))
    _check_options(arguments)
    match arguments.action:
        case "list":
            _list(queue, arguments.json)
        case "add":
            _added(queue, arguments, _add(queue, arguments))
        case "move":
            if arguments.to is None or len(arguments.names) != 1:
                raise ConfigError("command.queue_move")
            queue.move(_entry(queue, arguments.names[0]).id, arguments.to - 1)
        case "set":
            if arguments.at_once is None or arguments.names:
                raise ConfigError("command.queue_set")
            queue.set(at_once=arguments.at_once)
        case _:
            _change(queue, arguments.action, arguments.names)
    return 0


def _check_options(arguments: QueueArguments) -> None:
    """Raises ConfigError for an option that belongs to another action."""
    plain = QueueArguments(action=arguments.action, names=arguments.names, runs=arguments.runs, json=arguments.json)
    allowed = {"move": ("to",), "set": ("at_once",), "add": tuple(field.name for field in fields(plain))}
    for field in fields(plain):
        changed = getattr(arguments, field.name) != getattr(plain, field.name)
        if changed and field.name not in allowed.get(arguments.action, ()):
            raise ConfigError("command.queue_option", option=field.name.replace("_", "-"), action=arguments.action)
    if arguments.action == "add" and (arguments.to is not None or arguments.at_once is not None):
        raise ConfigError("command.queue_option", option="to or --at-once", action="add")


# -- adding ---------------------------------------------------------------------------------------


def _add(queue: Queue, arguments: QueueArguments) -> list[Entry]:
    if len(arguments.names) > 1:
        raise ConfigError("command.queue_one")
    train = TrainArguments(
        file=arguments.names[0] if arguments.names else None, env=arguments.env, agent=arguments.agent,
        set=arguments.set, steps=arguments.steps, seed=arguments.seed, runs=arguments.runs, trust=arguments.trust,
        resume=arguments.resume, fork=arguments.fork, stop_at=arguments.stop_at, seeds=arguments.seeds,
    )  # fmt: skip
    if arguments.resume is not None:
        return [_resumed(queue, train)]
    told: list[Text] = []
    if arguments.fork is not None:
        parent, experiment = forked_experiment(train, told.append)
    else:
        parent, experiment = None, experiment_of(train, told.append)
    if arguments.seeds is not None and (arguments.seed is not None or arguments.fork is not None):
        raise ConfigError("command.seeds_alone")
    seeds = seeds_of(arguments.seeds) if arguments.seeds is not None else [experiment.run.seed]
    check_task(experiment)
    for text in told:
        tell_now(text)
    if parent is not None:
        return [queue_fork(queue, parent, experiment, first=arguments.first)]
    return add_new(queue, with_seeds(experiment, seeds), first=arguments.first)


def _resumed(queue: Queue, train: TrainArguments) -> Entry:
    if train != TrainArguments(runs=train.runs, resume=train.resume, steps=train.steps, trust=train.trust):
        raise ConfigError("command.resume_alone")
    return add_resumed(queue, stored_run(train.resume or "", train.runs, trust=train.trust), train.steps)


def _added(queue: Queue, arguments: QueueArguments, entries: list[Entry]) -> None:
    if arguments.json:
        _write_json(queue, {entry.id for entry in entries})
        return
    for entry in entries:
        print(say("shown.queue_added", entry=entry.id, folder=entry.folder))
    if not queue.workers():
        print(say("shown.queue_no_worker", runs=arguments.runs))


# -- changing -------------------------------------------------------------------------------------


def _change(queue: Queue, action: str, names: tuple[str, ...]) -> None:
    """Pause, resume, cancel, retry or remove entries; without a name the queue as a whole is paused and resumed."""
    if not names:
        if action not in ("pause", "resume"):
            raise ConfigError("command.queue_names", action=action)
        queue.set(paused=action == "pause")
        return
    everything = names == ("all",)
    entries = queue.entries() if everything else [_entry(queue, name) for name in names]
    for entry in entries:
        try:
            getattr(queue, "resume" if action == "retry" else action)(entry.id)
        except ConfigError:
            if not everything:  # of all entries, those are changed that can be
                raise


def _entry(queue: Queue, name: str) -> Entry:
    """The entry with this number, or of this run. Raises ConfigError."""
    if name.isascii() and name.isdigit():
        return queue.entry(int(name))
    found = queue.of_folder(run_folder(name, str(queue.runs)))
    if found is None:
        raise ConfigError("queue.no_run", run=name)
    return found


# -- showing --------------------------------------------------------------------------------------


def _list(queue: Queue, json: bool) -> None:
    if json:
        _write_json(queue, None)
        return
    overview = Overviews(queue).read()
    if not overview.runs:
        print(say("shown.queue_empty"))
        return
    head = ["entry", "run", "steps", "state", "time left", "reason"]
    print(table([head, *(_row(each) for each in overview.runs)]))
    print(_whole(overview))


def _row(run: QueuedRun) -> list[str]:
    state = f"{run.entry.state} ({run.entry.wish})" if run.entry.wish else run.entry.state
    return [
        str(run.entry.id),
        run.entry.folder,
        progress(run.step, run.total),
        state,
        duration(run.seconds_left),
        words(run.entry.reason),
    ]


def _whole(overview: Overview) -> Text:
    paused = overview.settings.paused
    left = duration(overview.seconds_left) if overview.waits else "–"
    at_once, workers = overview.settings.at_once, len(overview.workers)
    if paused:
        return say("shown.queue_whole_paused", at_once=at_once, workers=workers, left=left)
    return say("shown.queue_whole", at_once=at_once, workers=workers, left=left)


def _write_json(queue: Queue, only: set[int] | None) -> None:
    overview = Overviews(queue).read()
    for run in overview.runs:
        if only is None or run.entry.id in only:
            entry = msgspec.structs.replace(run.entry, reason=words(run.entry.reason))
            more = {"step": run.step, "total": run.total, "seconds_left": run.seconds_left}
            write_json_line(to_json({"type": "QueueEntry", **msgspec.to_builtins(entry), **more}))
    if only is None:
        whole = {"type": "QueueSettings", "seconds_left": overview.seconds_left, "workers": overview.workers}
        write_json_line(to_json({**whole, **msgspec.to_builtins(overview.settings)}))
