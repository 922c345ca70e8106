"""The testing job: a stored agent plays greedy episodes, and the first one can be filmed."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np
import torch

from dqngui.config import ConfigError, Experiment
from dqngui.envs.border import frame_rate
from dqngui.envs.make import LONGEST_GREEDY, make_env, make_vector
from dqngui.envs.rendering import as_picture
from dqngui.envs.seeds import PLAY_SEEDS
from dqngui.envs.spaces import Spaces
from dqngui.envs.task_facts import time_limit_of
from dqngui.envs.vector import Envs
from dqngui.jobs.evaluation import interruptible
from dqngui.jobs.film import Film
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.thinning import thinned
from dqngui.learning.devices import resolve_device
from dqngui.learning.evaluation import (
    Evaluation,
    EvaluationLimits,
    Interrupted,
    episode,
    evaluation,
    longest_greedy,
)
from dqngui.messages import EpisodeEnded, Evaluated, Event, Finished, Noted, Request, Stop, Warned
from dqngui.messages.measures import MOST, by_name
from dqngui.nets.network import build_network
from dqngui.nets.trunk import Trunk
from dqngui.runs.checkpoints import load_weights
from dqngui.runs.episodes import read_index
from dqngui.runs.folder import summary_of, trusted_experiment
from dqngui.statistics import mean_of
from dqngui.texts import say

USUAL_FPS = 30.0


class TestOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Options of a request to test.

    Attributes:
        checkpoint: `best`, `last` or a step.
        episodes: number of episodes; episode i has seed `seed` + i.
        video: MP4 file for the first episode.
        role: of the result in `Evaluated`.
    """

    checkpoint: Literal["best", "last"] | int = "best"
    episodes: Annotated[int, msgspec.Meta(ge=1)] = 10
    seed: Annotated[int, msgspec.Meta(ge=0)] = PLAY_SEEDS
    video: str | None = None
    role: Literal["selection", "test"] = "test"


def test(request: Request, inbox: Inbox) -> Iterator[Event]:
    """Play the run in `request.folder`; ends with Evaluated and Finished. Raises ConfigError at once."""
    if request.folder is None:
        raise ConfigError("play.no_folder")
    try:
        options = msgspec.convert(request.options, TestOptions)
    except msgspec.ValidationError as error:
        raise ConfigError("play.wrong_options", problem=error) from None
    folder = Path(request.folder)
    experiment = trusted_experiment(folder)
    step, weights = load_weights(folder, options.checkpoint)
    torch.set_num_threads(experiment.run.threads)
    count = min(options.episodes, 32)
    envs = make_vector(experiment.env, count, longest=LONGEST_GREEDY, as_possible=True)
    try:
        network = stored_network(envs.spaces, experiment, weights)
    except BaseException:
        envs.close()
        raise
    limit = time_limit_of(envs.envs[0])
    limit = None if limit == LONGEST_GREEDY else limit  # the one that was added here
    longest = longest_greedy(_longest_trained(folder, experiment.env.num_envs), limit, LONGEST_GREEDY)
    return thinned(_test(network, envs, experiment, options, step, inbox, longest))


def _longest_trained(folder: Path, num_envs: int) -> int:
    """Steps of the longest episode of a run's training, or of the longest that was not over at its end."""
    index, summary = read_index(folder), summary_of(folder)
    ends = np.zeros(num_envs, dtype=np.int64)
    known = index["env"] < num_envs
    np.maximum.at(ends, index["env"][known], index["step"][known])
    running = 0 if summary is None else (summary.step - int(ends.min())) // num_envs
    return max(int(index["length"].max(initial=0)), running)


def stored_network(spaces: Spaces, experiment: Experiment, weights: dict[str, torch.Tensor]) -> Trunk:
    """The experiment's network with stored weights, on its device, or on the CPU if this machine lacks that device.

    Raises ConfigError if the weights do not fit.
    """
    network = build_network(spaces, experiment, torch.Generator().manual_seed(0))
    try:
        network.load_state_dict(weights)
    except RuntimeError:
        raise ConfigError("checkpoint.unfit") from None
    try:
        device = resolve_device(experiment.run.device)
    except ConfigError:
        device = torch.device("cpu")  # trained elsewhere; the weights are the same
    return network.to(device).eval()


def _test(
    network: Trunk, envs: Envs, experiment: Experiment, options: TestOptions, step: int, inbox: Inbox, longest: int
) -> Generator[Event, None, None]:
    began = time.perf_counter()
    device = next(network.parameters()).device
    returns: list[float] = []
    lengths: list[int] = []
    measures: list[Mapping[str, float]] = []
    cut = 0

    def answer() -> Iterator[Event]:
        if any(isinstance(command, Stop) for command in inbox.poll(step)):
            raise Interrupted
        yield from ()

    with closing(envs):
        wanted = experiment.run.device
        if wanted != "auto" and not str(device).startswith(wanted):
            yield Warned(step=step, text=say("play.other_device", device=wanted))
        while len(returns) < options.episodes:
            first = options.seed + len(returns)
            if options.video is not None and not returns:
                playing = _filmed(network, experiment, options, device, longest)
            else:
                seeds = range(first, min(first + len(envs), options.seed + options.episodes))
                playing = evaluation(network, envs, seeds, device=device, limits=EvaluationLimits(longest))
            try:
                found = yield from interruptible(playing, step, answer)
            except Interrupted:
                break
            if found.cut and not cut:
                yield Noted(step=step, text=say("train.cut", environment=experiment.env.id, steps=longest))
            cut += found.cut
            for ret, length, said in zip(found.returns, found.lengths, found.measures, strict=True):
                kept = dict(said) or msgspec.UNSET
                yield EpisodeEnded(step=step, ret=ret, length=length, episode=len(returns), measures=kept)
                returns.append(ret)
                lengths.append(length)
                measures.append(said)
    if returns:
        yield Evaluated(
            step=step,
            returns=tuple(returns),
            lengths=tuple(lengths),
            mean=mean_of(returns),
            role=options.role,
            measures=by_name(measures),
        )
        if envs.measures.left_out:
            yield Noted(step=step, text=say("train.measures", environment=experiment.env.id, most=MOST))
    seconds = time.perf_counter() - began
    done = len(returns) == options.episodes
    yield Finished(
        step=step,
        seconds=seconds,
        steps_per_second=sum(lengths) / max(seconds, 1e-9),
        reason="completed" if done else "stopped",
    )


def _filmed(
    network: Trunk, experiment: Experiment, options: TestOptions, device: torch.device, longest: int
) -> Generator[int, None, Evaluation]:
    """Play the first episode and film it."""
    assert options.video is not None
    env = make_env(experiment.env, render_mode="rgb_array", longest=LONGEST_GREEDY)
    with closing(Envs([env], experiment.env)) as envs, Film(Path(options.video), frame_rate(env, USUAL_FPS)) as film:

        def shoot(t: int) -> None:
            picture = as_picture(env.render())
            if not picture.size and t > 0:
                raise ConfigError("play.missing_picture", env=experiment.env.id, step=t)
            if not picture.size:
                raise ConfigError("play.nothing_to_film", env=experiment.env.id)
            film.add(picture)

        return (yield from episode(network, envs, options.seed, device=device, watch=shoot, longest=longest))
