"""`dqngui backtest RUN...`: what trained agents earned on unseen prices, beside holding and other simple rules."""

from __future__ import annotations

from pathlib import Path

import msgspec

from dqngui.commands.arguments_of_many import BacktestArguments
from dqngui.commands.experiments import stored_run
from dqngui.commands.output import table, write_json_line
from dqngui.envs.trading.baselines import Walk
from dqngui.statistics import Interval
from dqngui.texts import Text, say


def run(arguments: BacktestArguments) -> int:
    """Print the table and return the exit status. Raises ConfigError."""
    from dqngui.jobs.backtest import AGENTS, backtest

    folders = [Path(stored_run(name, arguments.runs, trust=arguments.trust)) for name in arguments.names]
    found = backtest(folders, arguments.part)
    holding = found.walks["hold"]
    rows = [["", "% a year", "Sharpe", "drawdown %", "beyond holding, % a year"]]
    for name, walk in found.walks.items():
        beyond, interval, months = walk.beyond(holding)
        if arguments.json:
            row = {"name": name, "part": found.part, "from": found.dates[0], "to": found.dates[1]}
            figures = {"yearly": walk.yearly, "sharpe": walk.sharpe, "drawdown": walk.drawdown, "beyond": beyond}
            bounds = None if interval is None else list(interval)
            write_json_line(msgspec.json.encode({**row, **figures, "interval": bounds, "months": months}))
        rows.append(
            [name, f"{walk.yearly:.1f}", f"{walk.sharpe:.2f}", f"{walk.drawdown:.1f}", _range(beyond, interval)]
        )
    if not arguments.json:
        months = holding.beyond(holding)[2]
        print(say("shown.backtest", part=found.part, first=found.dates[0], last=found.dates[1], months=months))
        print(table(rows))
        print(verdict(found.walks[AGENTS], holding))
    return 0


def verdict(agent: Walk, holding: Walk) -> Text:
    """Whether the agents earned more than holding, as far as the interval allows to say."""
    _, interval, _ = agent.beyond(holding)
    if interval is None:
        return say("shown.backtest_like_holding")
    if interval.low > 0:
        return say("shown.backtest_more", low=interval.low, high=interval.high)
    if interval.high < 0:
        return say("shown.backtest_less", low=-interval.high, high=-interval.low)
    return say("shown.backtest_open", low=interval.low, high=interval.high)


def _range(beyond: float, interval: Interval | None) -> str:
    return f"{beyond:.1f}" if interval is None else f"{beyond:.1f} ({interval.low:.1f} to {interval.high:.1f})"
