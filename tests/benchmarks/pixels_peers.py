"""Training on pictures for `pixels.py`: ours, a bare loop with the same convolutions, and stable-baselines3.

Prints one line of JSON: steps per second, and per second of the processor, after the replay is first filled.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from tests.benchmarks.pictures import FRAMES, SIDE, Moving

Clock = tuple[float, float]
BATCH, EVERY, TARGET_EVERY, CAPACITY, WARMUP, EPSILON, LR, GAMMA = 32, 4, 1000, 20_000, 500, 0.1, 1e-4, 0.99


SETTINGS: dict[str, Any] = {
    "env": {"id": "tests.benchmarks.pictures:Moving", "num_envs": 1, "wrappers": [{"name": "frame_stack"}]},
    "net": {"attention": "none", "memory": "none", "tokens": "one", "hidden": [], "width": 512,
            "previous_action": False, "previous_reward": False},
    "learn": {"lr": LR, "gamma": GAMMA, "epsilon": EPSILON, "batch_size": BATCH, "window": 1, "burn_in": 0,
              "n_step": 1, "double": False, "update_every": EVERY, "target": "hard", "target_every": TARGET_EVERY,
              "loss": "huber", "grad_clip": 10.0, "average": 1.0, "adam_eps": 1e-8, "reward_scale": 1.0,
              "warmup": WARMUP, "replay_capacity": CAPACITY},
    "run": {"eval_every": 0, "checkpoint_every": 1_000_000, "log_every": 1_000, "device": "cpu"},
}  # fmt: skip


def now() -> Clock:
    return time.perf_counter(), time.process_time()


def rates(began: Clock, steps: int, updates: int) -> dict[str, Any]:
    wall, cpu = (b - a for a, b in zip(began, now(), strict=True))
    made = steps - WARMUP
    return {"steps_per_second": made / wall, "steps_per_cpu_second": made / cpu, "updates": updates}


def own(steps: int) -> dict[str, Any]:
    """Our training job with its log and saves."""
    from dqngui.hosts import run_inline
    from dqngui.messages import Advanced, Learned, Request
    from dqngui.runs.folder import create
    from dqngui.settings import experiment_from

    data = {**SETTINGS, "run": {**SETTINGS["run"], "total_steps": steps}}
    began, updates = now(), 0
    with tempfile.TemporaryDirectory() as runs:
        experiment = experiment_from(data)
        request = Request(job="train", experiment=experiment, folder=str(create(Path(runs), experiment)))
        for event in run_inline(request):
            if isinstance(event, Advanced) and event.step == WARMUP:
                began = now()
            elif isinstance(event, Learned):
                updates = event.updates
        return rates(began, steps, updates)


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
    began = now()
    for step in range(steps):
        if step == WARMUP:
            began = now()
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
            seen, later = (torch.from_numpy(stacks[r]) * (1 / 255) for r in (rows, rows + 1))
            with torch.no_grad():
                wanted = torch.from_numpy(rewards[rows]) + GAMMA * target(later).amax(1)
            chosen = online(seen).gather(1, torch.from_numpy(actions[rows])[:, None]).squeeze(1)
            optimizer.zero_grad()
            F.smooth_l1_loss(chosen, wanted).backward()
            nn.utils.clip_grad_norm_(online.parameters(), 10.0)
            optimizer.step()
            updates += 1
            if updates % (TARGET_EVERY // EVERY) == 0:
                target.load_state_dict(online.state_dict())
    return rates(began, steps, updates)


def stable_baselines3(steps: int) -> dict[str, Any]:
    """Its DQN with CnnPolicy, which has the same network."""
    from gymnasium.wrappers import FrameStackObservation
    from stable_baselines3 import DQN
    from stable_baselines3.common.callbacks import BaseCallback

    class Watch(BaseCallback):
        began = 0.0, 0.0

        def _on_step(self) -> bool:
            if self.num_timesteps == WARMUP:
                self.began = now()
            return True

    watch = Watch()
    model = DQN(
        "CnnPolicy", FrameStackObservation(Moving(), FRAMES), learning_rate=LR, buffer_size=CAPACITY,
        learning_starts=WARMUP, batch_size=BATCH, gamma=GAMMA, train_freq=EVERY, gradient_steps=1,
        target_update_interval=TARGET_EVERY, exploration_initial_eps=EPSILON, exploration_final_eps=EPSILON,
        optimize_memory_usage=False, device="cpu", seed=0,
    )  # fmt: skip
    model.learn(steps, callback=watch)
    return rates(watch.began, steps, (steps - WARMUP) // EVERY)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    print(json.dumps({"own": own, "bare": bare, "sb3": stable_baselines3}[sys.argv[1]](int(sys.argv[2]))))
