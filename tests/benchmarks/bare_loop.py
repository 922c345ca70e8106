"""The fastest honest DQN loop we can write on CartPole-v1 with nothing but torch, numpy and gymnasium.

Prints one line of JSON: steps per second of training, and the mean return of 20 greedy episodes afterwards.
"""

import json
import sys
import time

import gymnasium as gym
import numpy as np
import torch
import torch.nn.functional as F
from gymnasium.vector import AutoresetMode, SyncVectorEnv

STEPS, ENVS, BATCH, WARMUP, CAPACITY, EVERY, TARGET_EVERY = int(sys.argv[1]), 8, 128, 10_000, 10_000, 10, 500
LR, GAMMA, EPSILON_END = 2.5e-4, 0.99, 0.05


def network() -> tuple[list[torch.Tensor], torch.Tensor, torch.Tensor]:
    """Weights and biases as views of one flat vector, so that one kernel updates them all; its gradient likewise."""
    layers = torch.nn.Linear(4, 120), torch.nn.Linear(120, 84), torch.nn.Linear(84, 2)
    drawn = [p.detach() for layer in layers for p in layer.parameters()]
    flat, at, views = torch.cat([p.flatten() for p in drawn]), 0, []
    gradient = torch.zeros_like(flat)
    for p in drawn:
        views.append(flat[at : at + p.numel()].view_as(p).requires_grad_())
        views[-1].grad = gradient[at : at + p.numel()].view_as(p)
        at += p.numel()
    return views, flat, gradient


def q_values(net: list[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    x = F.linear(x, net[0], net[1]).relu_()
    return F.linear(F.linear(x, net[2], net[3]).relu_(), net[4], net[5])


def update(number: int) -> None:
    rows = replay[torch.randint(min(stored, CAPACITY), (BATCH,))]
    now, later, (action, reward, ended) = rows[:, :4], rows[:, 4:8], rows[:, 8:].unbind(1)
    with torch.no_grad():
        wanted = reward + GAMMA * (1 - ended) * q_values(target, later).amax(1)
    q = q_values(online, now).gather(1, action.long().unsqueeze(1)).squeeze(1)
    gradient.zero_()
    F.mse_loss(q, wanted).backward()
    gradient.mul_((10.0 / (torch.linalg.vector_norm(gradient) + 1e-6)).clamp_(max=1.0))
    first.lerp_(gradient, 0.1)  # Adam
    second.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
    size = (second * (1 / (1 - 0.999**number))).sqrt_().add_(1e-8)
    flat.addcdiv_(first, size, value=-LR / (1 - 0.9**number))


def greedy(observations: np.ndarray) -> np.ndarray:
    """Actions from the same memory as the torch parameters, without torch's overhead."""
    for weight, bias in zip(weights[0:-2:2], weights[1:-2:2], strict=True):
        observations = np.maximum(observations @ weight.T + bias, 0)
    return (observations @ weights[-2].T + weights[-1]).argmax(1)


torch.set_num_threads(1)
torch.manual_seed(0)
rng = np.random.default_rng(0)
(online, flat, gradient), (target, flat_target, _) = network(), network()
flat_target.copy_(flat)
first, second = torch.zeros_like(flat), torch.zeros_like(flat)
weights = [p.detach().numpy() for p in online]
replay, stored = torch.zeros(CAPACITY, 11), 0
rows_np = replay.numpy()
envs = SyncVectorEnv([lambda: gym.make("CartPole-v1")] * ENVS, autoreset_mode=AutoresetMode.DISABLED)
obs, _ = envs.reset(seed=0)
started, cpu, learned, copied = time.perf_counter(), time.process_time(), 0, 0
for step in range(ENVS, STEPS + 1, ENVS):
    epsilon = max(EPSILON_END, 1 - (1 - EPSILON_END) * step / (STEPS / 2))
    action = np.where(rng.random(ENVS) < epsilon, rng.integers(2, size=ENVS), greedy(obs))
    following, reward, ended, cut, _ = envs.step(action)
    at = np.arange(stored, stored + ENVS) % CAPACITY
    rows_np[at] = np.column_stack([obs, following, action, reward, ended])
    stored, obs, over = stored + ENVS, following, ended | cut
    if over.any():
        obs, _ = envs.reset(options={"reset_mask": over})
    while step > WARMUP and learned < (step - WARMUP) // EVERY:
        learned += 1
        update(learned)
    if step // TARGET_EVERY > copied:
        flat_target.copy_(flat)
        copied = step // TARGET_EVERY
seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
env, returns = gym.make("CartPole-v1"), []
for seed in range(2_000_000, 2_000_020):
    (seen, _), ret, over = env.reset(seed=seed), 0.0, False
    while not over:
        seen, reward_one, ended_one, cut_one, _ = env.step(int(greedy(seen[None])[0]))
        ret, over = ret + float(reward_one), ended_one or cut_one
    returns.append(ret)
print(
    json.dumps(
        {
            "steps_per_second": STEPS / seconds,
            "greedy_return": float(np.mean(returns)),
            "updates": learned,
            "steps_per_cpu_second": STEPS / cpu,
        }
    )
)
