"""The wrapper `atari`: what is done with Atari games in papers, in one.

From the game outwards: fire where a life begins, sticky actions at every frame, no-ops at the start, lost lives, each
action for `frame_skip` frames of which the last two are joined by their maximum, a time limit in frames, signs of the
rewards, grey pictures of `size` × `size` pixels, the last `stack` of them. The defaults are those of Machado et al.
2018 (arXiv:1709.06009): sticky actions with 0.25, no no-ops, episodes that end with the game. For those of Mnih et al.
2015 (doi:10.1038/nature14236): `sticky = 0`, `noops = 30`, `life_loss = true`. The button is pressed for the agent,
unlike in both: a greedy agent that never presses it would wait until the time limit.
"""

from __future__ import annotations

from typing import Any

import gymnasium
from gymnasium.wrappers import TimeLimit

from dqngui.catalog.wrappers import (
    AtariOptions,
    ClipRewardOptions,
    FireOnResetOptions,
    FrameSkipOptions,
    FrameStackOptions,
    GrayscaleOptions,
    LifeLossOptions,
    NoopStartOptions,
    ResizeOptions,
    StickyActionsOptions,
)
from dqngui.config import ConfigError
from dqngui.envs.game_wrappers import clip_reward, fire_on_reset, life_loss, noop_start, sticky_actions
from dqngui.envs.offered_names import offered
from dqngui.envs.picture_wrappers import frame_skip, grayscale, resize
from dqngui.envs.wrappers import frame_stack

Env = gymnasium.Env[Any, Any]


def atari(env: Env, options: AtariOptions) -> Env:
    """The usual wrappers around a game of ale-py. Raises ConfigError for another environment, and for a game that skips
    frames or repeats actions by itself.
    """
    if offered(env, "ale") is None or len(env.observation_space.shape or ()) < 2:
        raise ConfigError("wrapper.no_game")
    made = env.spec.kwargs if env.spec is not None else {}
    if made.get("frameskip") != 1 or made.get("repeat_action_probability") != 0:
        raise ConfigError("wrapper.skips_itself")
    if options.fire:
        env = fire_on_reset(env, FireOnResetOptions())
    if options.sticky:
        env = sticky_actions(env, StickyActionsOptions(probability=options.sticky))
    if options.noops:
        env = noop_start(env, NoopStartOptions(most=options.noops))
    if options.life_loss:
        env = life_loss(env, LifeLossOptions())
    env = frame_skip(env, FrameSkipOptions(frames=options.frame_skip))
    env = TimeLimit(env, max(1, options.most_frames // options.frame_skip))
    if options.reward == "sign":
        env = clip_reward(env, ClipRewardOptions())
    if len(env.observation_space.shape or ()) == 3:
        env = grayscale(env, GrayscaleOptions())
    env = resize(env, ResizeOptions(rows=options.size, columns=options.size))
    return frame_stack(env, FrameStackOptions(frames=options.stack)) if options.stack > 1 else env
