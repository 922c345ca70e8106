"""`dqngui sweep`: makes a sweep of a TOML file, trains it and prints its trials."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from dqngui.bounded import found
from dqngui.commands.arguments import SweepArguments
from dqngui.commands.experiments import chosen_experiment, tell_now
from dqngui.commands.output import table, write_json_line
from dqngui.commands.queue import duration
from dqngui.commands.trial import check_task, with_task_measured
from dqngui.commands.work import Teller, work
from dqngui.config import Experiment
from dqngui.messages.json_lines import to_json
from dqngui.settings import with_settings
from dqngui.sweeps.planning import Plan, plan
from dqngui.sweeps.queue import Queue
from dqngui.sweeps.results import SweepResults, read_results
from dqngui.sweeps.sweep import is_sweep
from dqngui.sweeps.sweep_file import Sweep, read_sweep
from dqngui.sweeps.sweep_folder import SweepFolder
from dqngui.sweeps.worker import Worker
from dqngui.texts import say
from dqngui.texts.numbers import measured


def run(arguments: SweepArguments) -> int:
    """Make or continue a sweep; the exit status is 1 if a run failed. Raises ConfigError before anything is written."""
    runs, given = Path(arguments.runs), Path(arguments.file)
    stored = next((each for each in (given, runs / arguments.file) if found(is_sweep, each)), None)
    if stored is None:
        sweep = read_sweep(given)
        base = base_of(sweep)
        planned = plan(sweep, base, runs)
        if arguments.dry_run:
            _print_plan(planned, arguments.json)
            return 0
        check_task(base)
        stored = SweepFolder.create(runs, sweep, base, planned.seeds).folder
        print(say("shown.sweep_made", folder=stored), flush=True)
    elif arguments.dry_run:
        opened = SweepFolder.open(stored)
        _print_plan(plan(opened.sweep, opened.base, runs), arguments.json)
        return 0
    name = Queue(runs).name_of(stored)
    teller = Teller(arguments.json)
    worker = Worker(runs, sweep=name, tell=teller.tell)
    if arguments.at_once is not None:
        worker.queue.set(at_once=arguments.at_once)
    if arguments.queue:
        worker.advance_sweeps()
        worker.close()
        print(say("shown.sweep_queued", runs=arguments.runs))
        return 0
    status = work(worker, teller)
    print_results(read_results(SweepFolder.open(stored), Queue(runs)), arguments.json)
    return status


def base_of(sweep: Sweep) -> Experiment:
    """The base experiment of a sweep, with its task measured. Raises ConfigError."""
    base = sweep.base
    file, env = base.file or None, base.env or None
    asked = chosen_experiment(file, env, (), agent=base.agent or None, tell=tell_now)
    return with_task_measured(with_settings(asked, base.settings) if base.settings else asked)


def _print_plan(planned: Plan, json: bool) -> None:
    if json:
        trials = [{"trial": trial.number, "label": trial.label} for trial in planned.trials]
        data = {"type": "Plan", "trials": trials, "count": planned.count, "seeds": planned.seeds,
                "steps": planned.steps, "seconds": planned.seconds}  # fmt: skip
        write_json_line(to_json(data))
        return
    for trial in planned.trials[:MOST_SHOWN]:
        print(say("shown.sweep_trial", trial=trial.number, label=trial.label))
    if planned.count > min(len(planned.trials), MOST_SHOWN):
        print(say("shown.sweep_more_trials", count=planned.count - min(len(planned.trials), MOST_SHOWN)))
    print(
        say("shown.sweep_size", trials=planned.count, seeds=len(planned.seeds), runs=planned.runs, steps=planned.steps)
    )
    if planned.rungs:
        print(say("shown.sweep_rungs", rungs=[f"{step:,}" for step in planned.rungs], whole=planned.whole_steps))
    if planned.seconds is None:
        print(say("shown.sweep_no_time"))
    else:
        print(say("shown.sweep_time", time=duration(planned.seconds), at_once=planned.at_once, like=planned.like))


MOST_SHOWN = 40


def print_results(results: SweepResults, json: bool) -> None:
    """Print a line for each trial, the best first."""
    if json:
        rows = [{"trial": row.trial.number, "label": row.trial.label, "score": _finite(row.score), "seeds": row.scores,
                 "steps": row.steps, "state": row.state} for row in results.rows]  # fmt: skip
        saved = {"steps_made": results.steps_made, "steps_saved": results.steps_saved}
        write_json_line(to_json({"type": "SweepResults", "rows": rows, **saved}))
        return
    head = ["trial", "settings", "IQM", "seeds", "each seed", "steps", "state"]
    lines = [
        [
            str(row.trial.number),
            row.trial.label,
            measured(row.score) if math.isfinite(row.score) else "–",
            str(sum(score is not None for score in row.scores)),
            " ".join("–" if score is None or math.isinf(score) else measured(score) for score in row.scores),
            f"{row.steps:,}",
            row.state,
        ]
        for row in results.rows
    ]
    print(table([head, *lines]))
    print(say("shown.sweep_objective", score=results.objective))
    if results.steps_saved:
        print(say("shown.sweep_saved", saved=results.steps_saved, made=results.steps_made))


def _finite(score: float) -> Any:
    return score if math.isfinite(score) else None
