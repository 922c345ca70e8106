"""The fastest honest DQN loop we can write on CartPole-v1 with nothing but torch, numpy and gymnasium.

Prints one line of JSON: steps per second of training, and the mean return of 20 greedy episodes afterwards.
"""

import json
import sys
import time

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv

STEPS, ENVS, BATCH, WARMUP, CAPACITY, EVERY, TARGET_EVERY = int(sys.argv[1]), 8, 128, 10_000, 10_000, 10, 500
LR, GAMMA, EPSILON_END = 2.5e-4, 0.99, 0.05


def network() -> tuple[torch.nn.Sequential, torch.nn.Parameter]:
    """The network and all its parameters as one flat vector with a flat gradient, of which the layers hold views."""
    layers = torch.nn.Linear(4, 120), torch.nn.ReLU(), torch.nn.Linear(120, 84), torch.nn.ReLU(), torch.nn.Linear(84, 2)
    net = torch.nn.Sequential(*layers)
    flat = torch.nn.Parameter(torch.nn.utils.parameters_to_vector(net.parameters()).detach().clone())
    flat.grad, at = torch.zeros_like(flat), 0
    for p in net.parameters():
        p.data, p.grad = flat.data[at : at + p.numel()].view_as(p), flat.grad[at : at + p.numel()].view_as(p)
        at += p.numel()
    return net, flat


def update() -> None:
    rows = replay[torch.randint(min(stored, CAPACITY), (BATCH,))]
    now, later, (action, reward, ended) = rows[:, :4], rows[:, 4:8], rows[:, 8:].unbind(1)
    with torch.no_grad():
        wanted = reward + GAMMA * (1 - ended) * target(later).amax(1)
    q = online(now).gather(1, action.long().unsqueeze(1)).squeeze(1)
    flat.grad.zero_()
    torch.nn.functional.mse_loss(q, wanted).backward()
    flat.grad.mul_((10.0 / (torch.linalg.vector_norm(flat.grad) + 1e-6)).clamp(max=1.0))
    adam.step()


def greedy(observations: np.ndarray) -> np.ndarray:
    """Actions from the same memory as the torch parameters, without torch's overhead."""
    for weight, bias in zip(weights[0:-2:2], weights[1:-2:2], strict=True):
        observations = np.maximum(observations @ weight.T + bias, 0)
    return (observations @ weights[-2].T + weights[-1]).argmax(1)


torch.set_num_threads(1)
torch.manual_seed(0)
rng = np.random.default_rng(0)
(online, flat), (target, flat_target) = network(), network()
flat_target.data.copy_(flat.data)
adam = torch.optim.Adam([flat], lr=LR, fused=True)
weights = [p.detach().numpy() for p in online.parameters()]
replay, stored = torch.zeros(CAPACITY, 11), 0
rows_np = replay.numpy()
envs = SyncVectorEnv([lambda: gym.make("CartPole-v1")] * ENVS, autoreset_mode=AutoresetMode.DISABLED)
obs, _ = envs.reset(seed=0)
started, learned, copied = time.perf_counter(), 0, 0
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
        update()
        learned += 1
    if step // TARGET_EVERY > copied:
        flat_target.data.copy_(flat.data)
        copied = step // TARGET_EVERY
seconds, env, returns = time.perf_counter() - started, gym.make("CartPole-v1"), []
for seed in range(2_000_000, 2_000_020):
    (seen, _), ret, over = env.reset(seed=seed), 0.0, False
    while not over:
        seen, reward_one, ended_one, cut_one, _ = env.step(int(greedy(seen[None])[0]))
        ret, over = ret + float(reward_one), ended_one or cut_one
    returns.append(ret)
print(json.dumps({"steps_per_second": STEPS / seconds, "greedy_return": float(np.mean(returns)), "updates": learned}))
