"""Measures of tasks of other packages, whose `info` does not tell any: `envs.measures` reads all.

Here are the score and the human-normalised score of Atari games, and the success of MiniGrid and BabyAI. They stand in
the `info` of every step, as of the episode so far, so that whatever ends the episode, its last step has them.
"""

from __future__ import annotations

from typing import Any

import gymnasium

Env = gymnasium.Env[Any, Any]
Step = tuple[Any, Any, bool, bool, dict[str, Any]]

SCORE, NORMALISED, SUCCESS = "score", "human-normalised score", "success"

RANDOM_AND_HUMAN = {
    "Alien": (227.8, 7127.7),
    "Amidar": (5.8, 1719.5),
    "Assault": (222.4, 742.0),
    "Asterix": (210.0, 8503.3),
    "BankHeist": (14.2, 753.1),
    "BattleZone": (2360.0, 37187.5),
    "BeamRider": (363.9, 16926.5),
    "Boxing": (0.1, 12.1),
    "Breakout": (1.7, 30.5),
    "ChopperCommand": (811.0, 7387.8),
    "CrazyClimber": (10780.5, 35829.4),
    "DemonAttack": (152.1, 1971.0),
    "Enduro": (0.0, 860.5),
    "Freeway": (0.0, 29.6),
    "Frostbite": (65.2, 4334.7),
    "Gopher": (257.6, 2412.5),
    "Hero": (1027.0, 30826.4),
    "Jamesbond": (29.0, 302.8),
    "Kangaroo": (52.0, 3035.0),
    "Krull": (1598.0, 2665.5),
    "KungFuMaster": (258.5, 22736.3),
    "MontezumaRevenge": (0.0, 4753.3),
    "MsPacman": (307.3, 6951.6),
    "Pong": (-20.7, 14.6),
    "PrivateEye": (24.9, 69571.3),
    "Qbert": (163.9, 13455.0),
    "RoadRunner": (11.5, 7845.0),
    "Seaquest": (68.4, 42054.7),
    "SpaceInvaders": (148.0, 1668.7),
    "UpNDown": (533.4, 11693.2),
}
"""Mean scores of random actions and of a professional player after up to 30 no-ops: Wang et al. 2016,
arXiv:1511.06581, table 2 (random also in Mnih et al. 2015). The 26 games of Atari-100k and four others."""


def human_normalised(game: str, score: float) -> float | None:
    """(score − random) / (human − random): 0 is random, 1 is human; None for a game that is not in the table."""
    if game not in RANDOM_AND_HUMAN:
        return None
    random, human = RANDOM_AND_HUMAN[game]
    return (score - random) / (human - random)


class _Score(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Sums the rewards of an Atari game as it gives them, whatever wrappers around it make of them."""

    def __init__(self, env: Env, game: str) -> None:
        super().__init__(env)
        self._game = game
        self._score = 0.0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self._score = 0.0
        return self.env.reset(seed=seed, options=options)

    def step(self, action: Any) -> Step:
        result = self.env.step(action)
        self._score += float(result[1])
        measures = {SCORE: self._score}
        normalised = human_normalised(self._game, self._score)
        if normalised is not None:
            measures[NORMALISED] = normalised
        result[4].setdefault("measures", measures)
        return result


class _Success(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Says whether a reward above 0 was earned, which MiniGrid gives for success alone."""

    def __init__(self, env: Env) -> None:
        super().__init__(env)
        self._success = False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self._success = False
        return self.env.reset(seed=seed, options=options)

    def step(self, action: Any) -> Step:
        result = self.env.step(action)
        self._success = self._success or float(result[1]) > 0
        result[4].setdefault("measures", {SUCCESS: float(self._success)})
        return result


def with_measures(env: Env) -> Env:
    """The environment with the measures of its kind, if it is of one that is known."""
    name = "" if env.spec is None else env.spec.id
    if name.startswith("ALE/"):
        return _Score(env, name.removeprefix("ALE/").rpartition("-v")[0])
    return _Success(env) if name.startswith(("MiniGrid-", "BabyAI-")) else env
