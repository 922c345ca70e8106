"""The settings of the task: environment, wrappers, names."""

from __future__ import annotations

from typing import Annotated, Any

from dqngui.schema import Options, setting


class Wrapper(Options, frozen=True):
    """One environment wrapper by its catalog name."""

    name: str
    options: dict[str, Any] = {}


class EnvConfig(Options, frozen=True):
    """The settings of the task."""

    id: Annotated[str, setting("Gymnasium id, or `module:Id` to import a module first.", label="Environment")] = (
        "CartPole-v1"
    )
    kwargs: Annotated[dict[str, Any], setting("Arguments of the environment.", advanced=True)] = {}
    wrappers: Annotated[tuple[Wrapper, ...], setting("Wrappers, innermost first.", advanced=True)] = ()
    num_envs: Annotated[
        int,
        setting(
            "Environments stepped together. More give faster and more varied data per update.",
            label="Environments",
            ge=1,
            le=1024,
        ),
    ] = 16
    features: Annotated[
        tuple[str, ...], setting("Names of the observation's entries, for the plots.", advanced=True)
    ] = ()
    actions: Annotated[tuple[str, ...], setting("Names of the actions, for the plots.", advanced=True)] = ()
