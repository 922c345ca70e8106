"""`dqngui train`: train one agent without a window, or one agent a seed."""

from __future__ import annotations

import contextlib
import shutil
import sys
from pathlib import Path

import msgspec

from dqngui.commands.arguments import TrainArguments
from dqngui.commands.experiments import experiment_of, forked_experiment, knobs_of, stored_run, tell_now
from dqngui.commands.following import Outcome, follow
from dqngui.commands.output import JsonLines, Output, ProgressLine
from dqngui.commands.trial import check_task
from dqngui.config import ConfigError
from dqngui.jobs.breakpoints import hit_text, parse
from dqngui.messages import Request, SetBreakpoints
from dqngui.messages.tested import unseen
from dqngui.texts import Text, say
from dqngui.texts.plain import plain

_ENDED = {
    "completed": say("shown.completed"),
    "solved": say("shown.solved"),
    "stopped": say("shown.stopped"),
    "failed": say("shown.failed"),
}


def run(arguments: TrainArguments) -> int:
    """Train and return the exit status. Raises ConfigError before anything is written."""
    if arguments.seeds is not None:
        from dqngui.commands.several import run_several

        return run_several(arguments)
    if arguments.trust and not (arguments.resume or arguments.fork or arguments.replay_knobs):
        raise ConfigError("command.trust_nothing")
    breaks = _breakpoints(arguments)
    if arguments.resume is not None:
        request, total_steps = _resumed(arguments)
    elif arguments.fork is not None:
        request, total_steps = _forked(arguments)
    else:
        request, total_steps = _new(arguments)
    request = msgspec.structs.replace(
        request,
        schedule=(*request.schedule, *breaks),
        options=request.options
        | {"at_breakpoint": "stop" if breaks else "go on"},  # nobody could continue a paused run
    )
    output: Output = JsonLines() if arguments.json else ProgressLine(total_steps)
    return _train(request, arguments.host, output, quiet=arguments.json)


def _breakpoints(arguments: TrainArguments) -> tuple[SetBreakpoints, ...]:
    """What `--break` asks for. Raises ConfigError."""
    if arguments.break_ and arguments.replay_knobs is not None:
        raise ConfigError("command.replay_knobs_break")
    return (SetBreakpoints(points=tuple(map(parse, arguments.break_))),) if arguments.break_ else ()


def _new(arguments: TrainArguments) -> tuple[Request, int]:
    told: list[Text] = []
    experiment = experiment_of(arguments, told.append)
    schedule = knobs_of(arguments.replay_knobs, arguments.runs) if arguments.replay_knobs is not None else ()
    check_task(experiment)
    for text in told:
        tell_now(text)
    from dqngui.runs.folder import create

    folder = create(Path(arguments.runs), experiment)
    return (
        Request(job="train", experiment=experiment, folder=str(folder), schedule=schedule),
        experiment.run.total_steps,
    )


def _forked(arguments: TrainArguments) -> tuple[Request, int]:
    told: list[Text] = []
    parent, experiment = forked_experiment(arguments, told.append)
    check_task(experiment)
    for text in told:
        tell_now(text)
    from dqngui.runs.folder import create

    folder = create(Path(arguments.runs), experiment)
    return (
        Request(job="train", experiment=experiment, folder=str(folder), fork=str(parent)),
        experiment.run.total_steps,
    )


def _resumed(arguments: TrainArguments) -> tuple[Request, int]:
    allowed = TrainArguments(
        runs=arguments.runs,
        host=arguments.host,
        json=arguments.json,
        resume=arguments.resume,
        steps=arguments.steps,
        break_=arguments.break_,
        trust=arguments.trust,
    )
    if arguments != allowed:
        raise ConfigError("command.resume_alone")
    if arguments.steps is not None and arguments.steps < 1:
        raise ConfigError("command.steps")
    assert arguments.resume is not None
    from dqngui.jobs.branching import branch_point

    folder = stored_run(arguments.resume, arguments.runs, trust=arguments.trust)
    total_steps = arguments.steps or branch_point(folder)[1].run.total_steps
    options = {} if arguments.steps is None else {"total_steps": arguments.steps}
    return Request(job="train", folder=str(folder), resume=True, options=options), total_steps


def _train(request: Request, host: str, output: Output, quiet: bool) -> int:
    from dqngui.hosts import open_host

    outcome = follow(open_host(host, request), output.take)
    failed = outcome.failed
    if failed is not None and failed.mistake and failed.step == 0 and not request.resume:
        shutil.rmtree(request.folder or "", ignore_errors=True)  # refused before the first step: leave no folder
    with contextlib.suppress(OSError) if outcome.interrupted else contextlib.nullcontext():  # the terminal is closed
        output.close()
        _report(request, outcome, quiet)
    return outcome.status


def _report(request: Request, outcome: Outcome, quiet: bool) -> None:
    """The last lines: what failed (standard error), or what was reached and where it is (standard output)."""
    if outcome.failed is not None:
        print(say("shown.error", problem=outcome.failed.text), file=sys.stderr)
        if outcome.failed.details and outcome.status == 1:
            print(plain(outcome.failed.details), file=sys.stderr)
        if outcome.saved is not None and outcome.saved == outcome.failed.step > 0:
            print(say("shown.saved_though", step=outcome.saved, folder=request.folder), file=sys.stderr)
        return
    for hit in outcome.hits if outcome.broken else ():
        print(say("shown.error", problem=hit_text(hit)), file=sys.stderr)
    if quiet or outcome.finished is None:
        return
    end = outcome.finished
    how, speed = _ENDED[end.reason], end.steps_per_second
    if end.best is None or end.tested is not None:
        print(say("shown.ended", how=how, step=end.step, speed=speed))
    else:
        print(say("shown.ended_best", how=how, step=end.step, speed=speed, best=end.best))
    if end.tested is not None:
        print(say("shown.tested", test=end.tested.text()))
        _print_unseen(end.tested.episodes)
    print(say("shown.run", folder=request.folder))
    if end.reason == "stopped":
        print(say("shown.how_to_resume", folder=request.folder))
    print(say("shown.how_to_play", folder=request.folder))


def _print_unseen(episodes: int) -> None:
    if (open_question := unseen(episodes)) is not None:
        print(f"        {open_question}")
