"""Names of the observation entries and actions of well-known tasks, from their documentation.

The keys are ids without their version. The names label plots; the settings `env.features` and `env.actions` override
them.
"""

from __future__ import annotations

_CARDINAL = ("left", "down", "right", "up")
_GRID = ("turn left", "turn right", "forward", "pick up", "drop", "toggle", "done")

FEATURES = {
    "CartPole": ("cart position", "cart velocity", "pole angle", "pole velocity"),
    "MountainCar": ("position", "velocity"),
    "MountainCarContinuous": ("position", "velocity"),
    "Acrobot": ("cos θ₁", "sin θ₁", "cos θ₂", "sin θ₂", "velocity θ₁", "velocity θ₂"),
    "Pendulum": ("cos θ", "sin θ", "velocity θ"),
    "LunarLander": ("x", "y", "velocity x", "velocity y", "angle", "spin", "left leg down", "right leg down"),
}

ACTIONS = {
    "CartPole": ("left", "right"),
    "MountainCar": ("push left", "coast", "push right"),
    "Acrobot": ("torque −1", "torque 0", "torque +1"),
    "LunarLander": ("coast", "left engine", "main engine", "right engine"),
    "FrozenLake": _CARDINAL,
    "CliffWalking": ("up", "right", "down", "left"),
    "Blackjack": ("stick", "hit"),
    "Taxi": ("south", "north", "east", "west", "pick up", "drop off"),
}


def known_names(env_id: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(feature names, action names) of a task; each is empty if none are known."""
    bare = env_id.rpartition("-v")[0]
    actions = _GRID if bare.startswith(("MiniGrid-", "BabyAI-")) else ACTIONS.get(bare, ())
    return FEATURES.get(bare, ()), actions
