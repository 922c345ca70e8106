"""Seeds of episodes: computed by pure functions, so that an episode can be played again from what is stored.

Six ranges never overlap: evaluations that choose the best checkpoint draw from `SELECTION_SEEDS` up,
test episodes from `TEST_SEEDS` up, episodes played to be watched from `PLAY_SEEDS` up, those that
look into an agent from `STUDY_SEEDS` up, random ones that measure a task before a run from `MEASURE_SEEDS` up,
training episodes from `TRAINING_SEEDS` up.
"""

from __future__ import annotations

import hashlib

SELECTION_SEEDS = 1_000_000
TEST_SEEDS = 2_000_000
PLAY_SEEDS = 3_000_000
STUDY_SEEDS = 4_000_000
MEASURE_SEEDS = 5_000_000
TRAINING_SEEDS = 10_000_000
_END = 2**31


def episode_seed(run_seed: int, role: str, env: int, episode: int) -> int:
    """Seed of one training episode, well spread over [10,000,000, 2**31).

    Args:
        run_seed: seed of the run.
        role: the purpose of the episode, such as `train`; another role has other seeds.
        env: index of the environment.
        episode: index of the episode in that environment, from 0.

    The seed is the same on every machine and Python, unlike `hash`; seeds of neighbouring episodes are unrelated.
    """
    key = f"{run_seed}/{role}/{env}/{episode}".encode()
    value = int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "little")
    return TRAINING_SEEDS + value % (_END - TRAINING_SEEDS)
