"""`dqngui play RUN`: play a stored agent, or the trained agent of a preset, greedily."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from dqngui.commands.arguments import PlayArguments
from dqngui.commands.experiments import stored_run
from dqngui.commands.following import follow
from dqngui.commands.output import JsonLines
from dqngui.config import ConfigError
from dqngui.messages import Evaluated, Event, Noted, Request, Warned
from dqngui.messages.measures import means
from dqngui.messages.tested import measure_texts, unseen
from dqngui.presets import preset_names
from dqngui.statistics import mean_interval, mean_of, reason
from dqngui.texts import Text, say
from dqngui.texts.plain import plain
from dqngui.texts.reading_numbers import parse as read_number


def run(arguments: PlayArguments) -> int:
    """Play and return the exit status. Raises ConfigError."""
    from dqngui.hosts import open_host

    lines = JsonLines() if arguments.json else None

    def take(event: Event) -> None:
        if lines is not None:
            lines.take(event)
        elif isinstance(event, Evaluated):
            _print_returns(event, arguments.video)
        elif isinstance(event, (Warned, Noted)):
            print(event.words, file=sys.stderr)

    outcome = follow(open_host("inline", _request(arguments)), take)
    if outcome.failed is not None:
        print(say("shown.error", problem=outcome.failed.text), file=sys.stderr)
        if outcome.failed.details and outcome.status == 1:
            print(plain(outcome.failed.details), file=sys.stderr)
    return outcome.status


def _request(arguments: PlayArguments) -> Request:
    folder = _folder_of(arguments)
    if arguments.episodes < 1:
        raise ConfigError("command.episodes")
    checkpoint: str | float = arguments.checkpoint
    if checkpoint not in ("best", "last"):
        try:
            checkpoint = read_number(arguments.checkpoint, whole=True)
        except ValueError:
            raise ConfigError("command.checkpoint", given=checkpoint) from None
    options: dict[str, Any] = {"checkpoint": checkpoint, "episodes": arguments.episodes}
    options |= {name: value for name in ("seed", "video") if (value := getattr(arguments, name)) is not None}
    return Request(job="test", folder=str(folder), options=options)


def _folder_of(arguments: PlayArguments) -> Path:
    """The folder of a run, or else of a preset's agent in the zoo. Raises ConfigError."""
    try:
        return stored_run(arguments.run, arguments.runs, trust=arguments.trust)
    except ConfigError as error:
        if arguments.run not in preset_names() or error.text.key != "command.no_run":
            raise
    from dqngui.runs.zoo import playable

    agent = playable(arguments.run)
    text = say("zoo.trained", version=agent.version, seconds=agent.seconds, command=agent.command)
    print(text, agent.tested.text(), sep="\n", file=sys.stderr)
    return Path(agent.folder)


def _print_returns(event: Evaluated, video: str | None) -> None:
    for index, (ret, length) in enumerate(zip(event.returns, event.lengths, strict=True), start=1):
        print(say("shown.episode", number=index, value=ret, length=length))
    count, step = len(event.returns), event.step
    if count > 1:
        print(_mean_of(event.returns, step))
        if (open_question := unseen(count)) is not None:
            print(open_question)
    else:
        print(say("shown.mean_return", mean=event.mean, count=count, step=step))
    for text in measure_texts(means(event.measures)):
        print(text)
    if video is not None:
        print(say("shown.film", path=video))


def _mean_of(returns: tuple[float, ...], step: int) -> Text:
    """The mean of several returns with its interval, or why there is none."""
    count, mean, found = len(returns), mean_of(returns), mean_interval(returns)
    if found is None and reason(returns) == "equal":
        return say("shown.mean_return_equal", mean=mean, count=count, step=step)
    with np.errstate(invalid="ignore"):  # a return may be infinite
        spread = float(np.std(returns, ddof=1))
    if found is None:
        return say("shown.mean_return_few", mean=mean, count=count, spread=spread, step=step)
    low, high = found
    return say("shown.mean_return_interval", mean=mean, count=count, low=low, high=high, spread=spread, step=step)
