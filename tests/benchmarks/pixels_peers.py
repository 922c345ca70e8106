"""What `pixels.py` compares training on pictures with: a bare loop with the same convolutions, and stable-baselines3.

Prints one line of JSON. Everything is as in `pixels.SETTINGS`.
"""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from tests.benchmarks.pictures import FRAMES, SIDE, Moving

BATCH, EVERY, TARGET_EVERY, CAPACITY, WARMUP, EPSILON, LR, GAMMA = 32, 4, 1000, 20_000, 500, 0.1, 1e-4, 0.99


def network() -> nn.Module:
    """The network of Mnih et al. 2015."""
    return nn.Sequential(
        nn.Conv2d(FRAMES, 32, 8, 4), nn.ReLU(), nn.Conv2d(32, 64, 4, 2), nn.ReLU(), nn.Conv2d(64, 64, 3, 1), nn.ReLU(),
        nn.Flatten(), nn.Linear(3136, 512), nn.ReLU(), nn.Linear(512, 6),
    )  # fmt: skip


def bare(steps: int) -> dict[str, Any]:
    """DQN with whole stacks in one array, nothing logged, checked or saved."""
    online, target = network(), network()
    target.load_state_dict(online.state_dict())
    optimizer = torch.optim.Adam(online.parameters(), LR, fused=True)
    stacks = np.zeros((CAPACITY, FRAMES, SIDE, SIDE), np.uint8)
    actions, rewards = np.zeros(CAPACITY, np.int64), np.zeros(CAPACITY, np.float32)
    random, env, updates = np.random.default_rng(0), Moving(), 0
    frame, _ = env.reset(seed=0)
    frames = deque([frame] * FRAMES, maxlen=FRAMES)
    began = 0.0
    for step in range(steps):
        if step == WARMUP:
            began = time.perf_counter()
        row = step % CAPACITY
        stacks[row] = frames
        if step < WARMUP or random.random() < EPSILON:
            action = int(random.integers(6))
        else:
            with torch.inference_mode():
                action = int(online(torch.from_numpy(stacks[row][None]) * (1 / 255)).argmax())
        frame, reward, _, over, _ = env.step(action)
        actions[row], rewards[row] = action, reward
        frames.append(frame)
        if over:
            frame, _ = env.reset()
            frames = deque([frame] * FRAMES, maxlen=FRAMES)
        if step >= WARMUP and (step + 1) % EVERY == 0:
            rows = random.integers(0, min(step, CAPACITY) - 1, BATCH)
            now, later = (torch.from_numpy(stacks[r]) * (1 / 255) for r in (rows, rows + 1))
            with torch.no_grad():
                wanted = torch.from_numpy(rewards[rows]) + GAMMA * target(later).amax(1)
            chosen = online(now).gather(1, torch.from_numpy(actions[rows])[:, None]).squeeze(1)
            optimizer.zero_grad()
            F.smooth_l1_loss(chosen, wanted).backward()
            nn.utils.clip_grad_norm_(online.parameters(), 10.0)
            optimizer.step()
            updates += 1
            if updates % (TARGET_EVERY // EVERY) == 0:
                target.load_state_dict(online.state_dict())
    return {"steps_per_second": (steps - WARMUP) / (time.perf_counter() - began), "updates": updates}


def stable_baselines3(steps: int) -> dict[str, Any]:
    """Its DQN with CnnPolicy, which has the same network."""
    from gymnasium.wrappers import FrameStackObservation
    from stable_baselines3 import DQN
    from stable_baselines3.common.callbacks import BaseCallback

    class Clock(BaseCallback):
        began = 0.0

        def _on_step(self) -> bool:
            if self.num_timesteps == WARMUP:
                self.began = time.perf_counter()
            return True

    clock = Clock()
    model = DQN(
        "CnnPolicy", FrameStackObservation(Moving(), FRAMES), learning_rate=LR, buffer_size=CAPACITY,
        learning_starts=WARMUP, batch_size=BATCH, gamma=GAMMA, train_freq=EVERY, gradient_steps=1,
        target_update_interval=TARGET_EVERY, exploration_initial_eps=EPSILON, exploration_final_eps=EPSILON,
        optimize_memory_usage=False, device="cpu", seed=0,
    )  # fmt: skip
    model.learn(steps, callback=clock)
    return {"steps_per_second": (steps - WARMUP) / (time.perf_counter() - clock.began), "updates": model._n_updates}


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    print(json.dumps({"bare": bare, "sb3": stable_baselines3}[sys.argv[1]](int(sys.argv[2]))))
