"""Packages that are known here: those with environments, and what `pip install` takes for a module that is missing.

Here are names alone; `packages` imports them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata
from typing import NamedTuple


class Package(NamedTuple):
    """A package with environments.

    Attributes:
        requirement: what `pip install` takes.
        module: what is imported.
        call: function without arguments that registers its environments; "": importing the module does.
    """

    requirement: str
    module: str
    call: str = ""


_MINIGRID = Package("minigrid", "minigrid")
_ALE = Package("ale-py", "ale_py")
_ATARI = "Pong|Breakout|SpaceInvaders|Seaquest|Qbert|BeamRider|Enduro|MsPacman|Freeway|Asterix|MontezumaRevenge"
IMPORTED = {
    "MiniGrid-": _MINIGRID,
    "BabyAI-": _MINIGRID,
    "ALE/": _ALE,
    rf"[A-Z]\w+?(-ram)?(NoFrameskip|Deterministic)-v\d|({_ATARI})(-ram)?-v\d": _ALE,  # as papers name Atari's games
    "popgym-": Package("popgym", "popgym"),
    "MinAtar/": Package("MinAtar", "minatar.gym", "register_envs"),
}
"""By a pattern of how an id starts: the package that is imported for it. No other is imported without `module:`."""

NAMED = (
    (
        Package("highway-env", "highway_env"),
        "(highway|merge|roundabout|parking|intersection|racetrack|exit|two-way|lane-keeping|u-turn)-",
    ),
    (Package("gym-anytrading", "gym_anytrading"), "(stocks|forex)-"),
    (
        Package("gymnasium-robotics", "gymnasium_robotics"),
        "Fetch(Reach|Push|Slide|PickAndPlace)|HandReach|HandManipulate|Adroit|FrankaKitchen|PointMaze_|AntMaze_",
    ),
    (Package("panda-gym", "panda_gym"), "Panda(Reach|Push|Slide|PickAndPlace|Stack|Flip)"),
    (Package("flappy-bird-gymnasium", "flappy_bird_gymnasium"), "FlappyBird-v"),
    (Package("miniworld", "miniworld"), "MiniWorld-"),
)
"""Packages whose ids have no prefix of their own, with a pattern of how the ids begin."""

_OTHERS = {
    "gym": "gym",
    "torch": "torch",
    "mujoco": "mujoco",
    "pygame": "pygame",
    "Box2D": "box2d-py",
    "cv2": "opencv-python",
    "scipy": "scipy",
    "pandas": "pandas",
    "matplotlib": "matplotlib",
    "sklearn": "scikit-learn",
    "numba": "numba",
    "pybullet": "pybullet",
    "pettingzoo": "pettingzoo",
    "stable_baselines3": "stable-baselines3",
    "networkx": "networkx",
    "PIL": "pillow",
    "yaml": "PyYAML",
}
"""By the top module: the package that `pip install` takes, of others that environments often need."""


def known_environments() -> Iterator[Package]:
    """The known packages with environments."""
    yield from IMPORTED.values()
    yield from (package for package, _ in NAMED)


def installable(module: str) -> str | None:
    """What `pip install` takes for a top module: a package that is known here, or one that an installed package
    requires; None if it is neither.
    """
    for known in known_environments():
        if known.module.partition(".")[0] == module:
            return known.requirement
    if module in _OTHERS:
        return _OTHERS[module]
    plain = module.lower().replace("_", "-")
    for package in metadata.distributions():
        for name in requirements_of(package):
            if name.lower().replace("_", "-") == plain:
                return name
    return None


def requirements_of(package: metadata.Distribution) -> Iterator[str]:
    """Names of the packages that an installed one requires, as it writes them."""
    for need in package.requires or ():
        yield re.split(r"[^\w.-]", need, maxsplit=1)[0]
