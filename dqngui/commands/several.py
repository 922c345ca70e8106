"""`dqngui train --seeds 0-4 --jobs 2`: one process a seed, a test of each best checkpoint, a table at the end."""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from dqngui.commands.arguments import TrainArguments
from dqngui.commands.experiments import experiment_of, knobs_of, tell_now
from dqngui.commands.following import IDLE_S
from dqngui.commands.interruption import interruption
from dqngui.commands.output import in_words, table, write_json_line
from dqngui.commands.trial import check_task
from dqngui.config import ConfigError, Experiment
from dqngui.messages import (
    COMMANDS,
    Advanced,
    Evaluated,
    Event,
    Failed,
    Finished,
    Learned,
    Request,
    Stop,
    Weights,
    encode,
)
from dqngui.messages.json_lines import from_json, to_json
from dqngui.messages.measures import MeasureMean, means
from dqngui.messages.tested import measure_texts, unseen
from dqngui.settings import with_settings
from dqngui.statistics import mean_interval, mean_of, reason
from dqngui.sweeps.seeds import seeds_of
from dqngui.texts import Text, say
from dqngui.texts.numbers import measured

if TYPE_CHECKING:
    from dqngui.hosts import Host


_GO_ON = {"at_breakpoint": "go on"}  # a replayed log may set breakpoints, and nobody could continue a paused run


class SeedResult(msgspec.Struct):
    """The result of one seed: one line of the table.

    Attributes:
        seconds: wall seconds of training, evaluations and start left out.
        best: mean return of the evaluation that is reported of the best checkpoint (`learning.best`).
        test: mean return of the best checkpoint on test seeds.
        low, high: ends of its 95 % interval (`statistics.mean_interval`); None where there is none.
        chosen_at: mean return of the evaluations that chose the checkpoint (`CheckpointTest`): it flatters.
        reason: why training ended.
        measures: means of the task's measures in the same test.
    """

    seed: int
    steps: int = 0
    seconds: float = 0.0
    best: float | None = None
    test: float | None = None
    low: float | None = None
    high: float | None = None
    chosen_at: float | None = None
    reason: str = ""
    folder: str = ""
    measures: dict[str, MeasureMean] | msgspec.UnsetType = msgspec.UNSET


class SeedRun:
    """Trains one seed in a process, then tests its best checkpoint in another."""

    def __init__(
        self, experiment: Experiment, schedule: tuple[COMMANDS, ...], runs: Path, test_episodes: int, json: bool
    ) -> None:
        from dqngui.runs.folder import create

        folder = create(runs, experiment)
        self.row = SeedResult(seed=experiment.run.seed, folder=str(folder))
        self.failed: Failed | None = None
        self._test_episodes = test_episodes
        self._json = json
        self._testing = False
        request = Request(job="train", experiment=experiment, folder=str(folder), schedule=schedule, options=_GO_ON)
        self._host = self._start(request)

    def poll(self) -> bool:
        """Take what has arrived; False once this seed is done."""
        for event in self._host.drain():
            self._take(event)
        if self._host.alive:
            return True
        self._host.join(10.0)
        if self._testing or self.failed or self._test_episodes == 0 or self.row.reason == "stopped":
            return False
        self._testing = True
        self._host = self._start(_test_request(self.row.folder, self._test_episodes))
        return True

    def stop(self) -> None:
        self._host.send(Stop())

    def interrupt(self) -> None:
        self._host.interrupt()

    def kill(self) -> None:
        self._host.kill()

    def _start(self, request: Request) -> Host:
        from dqngui.hosts import open_host

        host = open_host("process", request)
        host.start()
        return host

    def _take(self, event: Event) -> None:
        row = self.row
        match event:
            case Failed():
                self.failed = event
                row.reason = "failed"
            case Evaluated(role="test"):
                row.test = event.mean
                row.low, row.high = mean_interval(event.returns) or (None, None)
                row.measures = means(event.measures) or msgspec.UNSET
            case Finished() if not self._testing:
                row.reason, row.steps, row.best = event.reason, event.step, event.best
                row.chosen_at = None if event.tested is None else event.tested.chosen_at
                row.seconds = row.seconds or event.seconds
            case Learned() | Evaluated() if not self._testing:
                row.steps = max(row.steps, event.step)
                row.seconds = max(row.seconds, event.seconds)
        if self._json and not isinstance(event, (Weights, Advanced)):
            write_json_line(to_json({**from_json(encode(in_words(event)), Any), "seed": row.seed}))
        elif isinstance(event, Evaluated):
            text = say("shown.seed", seed=row.seed, step=event.step, role=event.role, mean=event.mean)
            print(text, file=sys.stderr)


def _test_request(folder: str, episodes: int) -> Request:
    from dqngui.envs.seeds import TEST_SEEDS

    options = {"checkpoint": "best", "episodes": episodes, "seed": TEST_SEEDS, "role": "test"}
    return Request(job="test", folder=folder, options=options)


def run_several(arguments: TrainArguments) -> int:
    """Train every seed, at most `jobs` at once, and print the table. Raises ConfigError."""
    if arguments.resume is not None or arguments.fork is not None or arguments.seed is not None:
        raise ConfigError("command.seeds_alone")
    if arguments.break_:
        raise ConfigError("command.seeds_break")
    if arguments.jobs < 1 or arguments.test_episodes < 0:
        raise ConfigError("command.jobs")
    told: list[Text] = []
    experiment = experiment_of(arguments, told.append)
    waiting = [with_settings(experiment, {"run.seed": seed}) for seed in seeds_of(arguments.seeds or "")]
    schedule = knobs_of(arguments.replay_knobs, arguments.runs) if arguments.replay_knobs is not None else ()
    check_task(experiment)
    for text in told:
        tell_now(text)

    done: list[SeedRun] = []
    running: list[SeedRun] = []
    with interruption(_All(running), say("shown.stopping_all")) as (request, hold):
        try:
            while (waiting and not request.requested) or running:
                while waiting and len(running) < arguments.jobs and not request.requested:
                    next_one = waiting.pop(0)
                    running.append(
                        SeedRun(next_one, schedule, Path(arguments.runs), arguments.test_episodes, arguments.json)
                    )
                hold()
                _poll(running, done)
        except BaseException:
            for seed_run in running:
                seed_run.kill()
            raise
    print_table([seed_run.row for seed_run in done], arguments.json)
    return _status(done, request.requested)


class _All:
    """The runs that are trained now, as a signal ends them."""

    def __init__(self, running: list[SeedRun]) -> None:
        self._running = running

    def stop(self) -> None:
        for seed_run in list(self._running):
            seed_run.stop()

    def interrupt(self) -> None:
        for seed_run in list(self._running):
            seed_run.interrupt()


def _poll(running: list[SeedRun], done: list[SeedRun]) -> None:
    for seed_run in list(running):
        if not seed_run.poll():
            running.remove(seed_run)
            done.append(seed_run)
            if seed_run.failed is not None:
                text = say("shown.seed_failed", seed=seed_run.row.seed, problem=seed_run.failed.text)
                print(text, file=sys.stderr)
    time.sleep(IDLE_S)


def _status(done: list[SeedRun], interrupted: bool) -> int:
    failures = [seed_run.failed for seed_run in done if seed_run.failed is not None]
    if failures:
        return 2 if all(failed.mistake for failed in failures) else 1
    return 130 if interrupted else 0


def median_row(rows: list[SeedResult]) -> dict[str, Any]:
    """Medians over the seeds; None for a column in which a value is missing."""
    median: dict[str, Any] = {}
    for column in ("steps", "seconds", "best", "test", "chosen_at"):
        values = [getattr(row, column) for row in rows]
        median[column] = statistics.median(values) if values and None not in values else None
    return median


def print_table(rows: list[SeedResult], json: bool) -> None:
    """Print a line for each seed, the medians, and the mean of the tests with its interval."""
    rows = sorted(rows, key=lambda row: row.seed)
    median = median_row(rows)
    if json:
        write_json_line(to_json({"type": "Table", "rows": rows, "median": median}))
        return
    head = ["seed", "steps", "seconds", "test", "95\u00a0% interval", "evaluation", "chosen at", "ended"]
    lines = [[str(row.seed), *_cells(msgspec.to_builtins(row)), row.reason] for row in rows]
    print(table([head, *lines, ["median", *_cells(median), ""]]))
    print(say("shown.columns"))
    tests = [row.test for row in rows if row.test is not None]
    if len(tests) > 1:
        print(_test_mean(tests))
        for text in measure_texts(_measures(rows)):
            print(text)
        if (open_question := unseen(len(tests), "seeds")) is not None:
            print(open_question)


def _measures(rows: list[SeedResult]) -> dict[str, MeasureMean]:
    """The mean of each measure over the seeds, each seed by the mean of its test."""
    tested = [row.measures or {} for row in rows]
    names = dict.fromkeys(name for each in tested for name in each)
    found = {name: MeasureMean.of(each[name].mean for each in tested if name in each) for name in names}
    return {name: each for name, each in found.items() if each is not None}


def _test_mean(tests: list[float]) -> Text:
    """The mean of the seeds' tests with its 95 % interval, or why there is none."""
    count, mean, found = len(tests), mean_of(tests), mean_interval(tests)
    if found is not None:
        return say("shown.test_mean", count=count, mean=mean, low=found.low, high=found.high)
    if reason(tests) == "equal":
        return say("shown.test_equal", count=count, mean=mean)
    return say("shown.test_few", count=count, mean=mean)


def _cells(row: dict[str, Any]) -> list[str]:
    formats = {"steps": ",.0f", "seconds": ",.1f", "test": ".4g", "interval": "", "best": ".4g", "chosen_at": ".4g"}
    interval = None if row.get("low") is None else f"{measured(row['low'])} to {measured(row['high'])}"
    row = {**row, "interval": interval}
    return ["–" if row[name] is None else format(row[name], form) for name, form in formats.items()]
