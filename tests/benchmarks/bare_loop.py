"""A DQN loop on CartPole-v1 that is as fast as we can write it with torch, numpy and gymnasium only.

Prints one line of JSON: training steps per second, and the mean return of 20 greedy episodes after training.
"""

import json
import sys
import time

import gymnasium as gym
import numpy as np
import torch

STEPS, ENVS, BATCH, WARMUP, CAPACITY, EVERY, TARGET_EVERY = int(sys.argv[1]), 8, 128, 10_000, 10_000, 10, 500
LR, GAMMA, EPSILON_END = 2.5e-4, 0.99, 0.05
SHAPES = (120, 4), (120,), (84, 120), (84,), (2, 84), (2,)


def views(flat: torch.Tensor) -> list[torch.Tensor]:
    parts = flat.split([int(np.prod(shape)) for shape in SHAPES])
    return [part.view(shape) for part, shape in zip(parts, SHAPES, strict=True)]


def layers(p: list[torch.Tensor], x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    first = torch.addmm(p[1], x, p[0].T).relu_()
    second = torch.addmm(p[3], first, p[2].T).relu_()
    return first, second, torch.addmm(p[5], second, p[4].T)


def update(number: int) -> None:
    """One update: squared TD error, its gradient computed by hand and clipped to norm 10, Adam. The parameters are one
    flat vector."""
    rows = replay[torch.randint(min(stored, CAPACITY), (BATCH,))]
    now, action, (reward, going) = rows[:, :4], rows[:, 8:9].long(), rows[:, 9:].unbind(1)
    h1, h2, q = layers(online, now)
    error = q.gather(1, action).squeeze(1) - torch.addcmul(reward, going, layers(target, rows[:, 4:8])[2].amax(1))
    d3 = torch.zeros_like(q).scatter_(1, action, (error * (2 / BATCH)).unsqueeze(1))
    d2 = torch.ops.aten.threshold_backward(d3 @ online[4], h2, 0)
    d1 = torch.ops.aten.threshold_backward(d2 @ online[2], h1, 0)
    for index, (delta, below) in enumerate(((d1, now), (d2, h1), (d3, h2))):
        torch.mm(delta.T, below, out=slopes[2 * index])
        torch.sum(delta, 0, out=slopes[2 * index + 1])
    gradient.mul_((10.0 / (torch.linalg.vector_norm(gradient) + 1e-6)).clamp_(max=1.0))
    mean.lerp_(gradient, 0.1)
    square.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
    size = square.sqrt().add_(1e-8 * (1 - 0.999**number) ** 0.5)
    flat.addcdiv_(mean, size, value=-LR * (1 - 0.999**number) ** 0.5 / (1 - 0.9**number))


def greedy(x: np.ndarray) -> np.ndarray:
    return (np.maximum(np.maximum(x @ w[0].T + w[1], 0) @ w[2].T + w[3], 0) @ w[4].T + w[5]).argmax(1)


torch.set_num_threads(1), torch.set_grad_enabled(False), torch.manual_seed(0)
rng, made = np.random.default_rng(0), [torch.nn.Linear(4, 120), torch.nn.Linear(120, 84), torch.nn.Linear(84, 2)]
flat = torch.nn.utils.parameters_to_vector(p for layer in made for p in layer.parameters()).clone()
flat_target, gradient, mean, square = flat.clone(), *(torch.zeros_like(flat) for _ in range(3))
online, target, slopes, w = views(flat), views(flat_target), views(gradient), [p.numpy() for p in views(flat)]
replay, stored, learned, copied, over = torch.zeros(CAPACITY, 11), 0, 0, 0, np.zeros(ENVS, bool)
envs, memory = gym.make_vec("CartPole-v1", ENVS, vectorization_mode="vector_entry_point"), replay.numpy()
obs, began = envs.reset(seed=0)[0], time.perf_counter()
while stored < STEPS:
    epsilon = max(EPSILON_END, 1 - (1 - EPSILON_END) * stored / (STEPS / 2))
    action = np.where(rng.random(ENVS) < epsilon, rng.integers(2, size=ENVS), greedy(obs))
    following, reward, ended, cut, _ = envs.step(action)
    rows = np.column_stack([obs, following, action, reward, GAMMA * ~ended])[~over]  # the step after an end is a reset
    memory[np.arange(stored, stored + len(rows)) % CAPACITY] = rows
    stored, obs, over = stored + len(rows), following, ended | cut
    while learned < (stored - WARMUP) // EVERY:
        learned += 1
        update(learned)
    if stored // TARGET_EVERY > copied:
        copied = stored // TARGET_EVERY
        flat_target.copy_(flat)
seconds, total, alive = time.perf_counter() - began, np.zeros(20), np.ones(20, bool)
envs = gym.make_vec("CartPole-v1", 20, vectorization_mode="vector_entry_point")
obs = envs.reset(seed=2_000_000)[0]
while alive.any():
    obs, reward, ended, cut, _ = envs.step(greedy(obs))
    total, alive = total + alive * reward, alive & ~(ended | cut)
print(json.dumps({"steps_per_second": stored / seconds, "updates": learned, "greedy_return": total.mean()}))
