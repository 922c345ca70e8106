"""The device of a new run: `auto` is replaced by the faster device, and the run's folder and its log say so."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from dqngui.config import Experiment
from dqngui.envs.make import make_vector
from dqngui.learning.device_choice import fastest_device
from dqngui.learning.devices import available_devices
from dqngui.runs.folder import write_experiment
from dqngui.texts import Text, say


def with_measured_device(experiment: Experiment, folder: str | None, notes: list[Text]) -> Experiment:
    """The experiment of a new run with a device that was measured in place of `auto`, if this machine has a choice.

    It is written into the run's folder, so that no resumed run measures again. Adds what to tell to `notes`.
    Raises ConfigError for an environment that cannot be made.
    """
    if experiment.run.device != "auto" or len(available_devices()) < 3:
        return experiment
    envs = make_vector(experiment.env, 1)
    envs.close()
    choice = fastest_device(experiment, envs.spaces)
    times = [say("train.device_time", device=name, milliseconds=s * 1000) for name, s in choice.seconds.items()]
    notes.append(say("train.device_measured", device=choice.device, times=times))
    experiment = replace(experiment, run=replace(experiment.run, device=choice.device))
    if folder is not None:
        write_experiment(Path(folder), experiment)
    return experiment
