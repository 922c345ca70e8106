"""The settings of the task: environment, wrappers, names."""

from __future__ import annotations

from typing import Annotated, Any, Literal

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
    several: Annotated[
        Literal["auto", "joint", "decoupled"],
        setting(
            "How the values of several choices made at once are learned, such as bins of a robot's joints. joint: "
            "every combination has a value. decoupled: every option of each choice has one, and a combination has "
            "their mean (DecQN). auto: joint up to 100 combinations.",
            label="Several choices",
            advanced=True,
        ),
    ] = "auto"
    rows: Annotated[
        Literal["auto", "ordered", "set"],
        setting(
            "What an observed table of numbers (N, F) is. ordered: its rows have a fixed order, such as the steps of a "
            "window of the past. set: the order of its rows does not count, and all rows are alike. auto: a set if one "
            "of its numbers is called presence, or if the task says so, and then the agent's own row is known; else "
            "ordered.",
            label="Rows of tables",
            advanced=True,
        ),
    ] = "auto"
    boxes: Annotated[
        Literal["bounds", "size"],
        setting(
            "How an observed Box is read. bounds: numbers that are no bytes are a picture only if their bounds suit "
            "one, else rows or a vector; a vector of bytes is standardised. size: as in runs of earlier versions, in "
            "which large arrays were pictures whatever their bounds, and bytes were divided by their bound.",
            label="Reading of boxes",
            advanced=True,
        ),
    ] = "bounds"
