"""The testing job: a stored agent plays greedy episodes, and the first one can be filmed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import torch

from dqngui.config import ConfigError, Experiment
from dqngui.envs.make import LONGEST_GREEDY, make_env, make_vector
from dqngui.envs.seeds import PLAY_SEEDS
from dqngui.envs.spaces import Spaces
from dqngui.envs.vector import Envs
from dqngui.jobs.film import Film
from dqngui.jobs.inbox import Inbox
from dqngui.learning.devices import resolve_device
from dqngui.learning.evaluation import Interrupted, evaluate, play_episode
from dqngui.messages import EpisodeEnded, Evaluated, Event, Finished, Request, Stop, Warned
from dqngui.nets.network import build_network
from dqngui.nets.trunk import Trunk
from dqngui.runs.checkpoints import load_weights
from dqngui.runs.folder import read_experiment
from dqngui.statistics import mean_of
from dqngui.texts import say


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
    experiment = read_experiment(folder)
    step, weights = load_weights(folder, options.checkpoint)
    torch.set_num_threads(experiment.run.threads)
    envs = make_vector(experiment.env, min(options.episodes, 32), longest=LONGEST_GREEDY)
    try:
        network = stored_network(envs.spaces, experiment, weights)
    except BaseException:
        envs.close()
        raise
    return _test(network, envs, experiment, options, step, inbox)


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
    network: Trunk, envs: Envs, experiment: Experiment, options: TestOptions, step: int, inbox: Inbox
) -> Iterator[Event]:
    began = time.perf_counter()
    device = next(network.parameters()).device
    returns: list[float] = []
    lengths: list[int] = []

    def stop_asked() -> bool:
        return any(isinstance(command, Stop) for command in inbox.poll(step))

    with closing(envs):
        wanted = experiment.run.device
        if wanted != "auto" and not str(device).startswith(wanted):
            yield Warned(step=step, text=say("play.other_device", device=wanted))
        if options.video is not None:
            ret, length = _filmed(network, experiment, options, device)
            returns.append(ret)
            lengths.append(length)
            yield EpisodeEnded(step=step, ret=ret, length=length)
        while len(returns) < options.episodes:
            first = options.seed + len(returns)
            seeds = range(first, min(first + len(envs), options.seed + options.episodes))
            try:
                some, long = evaluate(network, envs, seeds, device=device, interrupted=stop_asked)
            except Interrupted:
                break
            for ret, length in zip(some, long, strict=True):
                yield EpisodeEnded(step=step, ret=ret, length=length, episode=len(returns))
                returns.append(ret)
                lengths.append(length)
    if returns:
        yield Evaluated(
            step=step, returns=tuple(returns), lengths=tuple(lengths), mean=mean_of(returns), role=options.role
        )
    seconds = time.perf_counter() - began
    done = len(returns) == options.episodes
    yield Finished(
        step=step,
        seconds=seconds,
        steps_per_second=sum(lengths) / max(seconds, 1e-9),
        reason="completed" if done else "stopped",
    )


def _filmed(network: Trunk, experiment: Experiment, options: TestOptions, device: torch.device) -> tuple[float, int]:
    """Play the first episode and film it; gives return and length."""
    assert options.video is not None
    env = make_env(experiment.env, render_mode="rgb_array", longest=LONGEST_GREEDY)
    with closing(Envs([env], experiment.env)) as envs, Film(Path(options.video), _fps(env)) as film:

        def shoot(*_: Any) -> None:
            frame = env.render()
            if not isinstance(frame, np.ndarray):
                raise ConfigError("play.nothing_to_film", env=experiment.env.id)
            film.add(frame)

        return play_episode(network, envs, options.seed, device=device, watch=shoot)


def _fps(env: Any) -> float:
    return float(env.metadata.get("render_fps") or 30)
