"""Speed of two runs at once in processes and on a local Ray cluster, with a shared folder and with a mirrored one.

    python -m tests.benchmarks.ray_hosts [--repeats 5] [--steps 30000]

Each repeat trains every way once, in turn, so that a slow moment of the machine meets all. Prints steps per second of
training (both runs together), and seconds from the start of the hosts to their end; medians and ratios to processes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from dqngui.hosts import Host, open_host
from dqngui.hosts.ray_cluster import RayHosts
from dqngui.messages import Finished, Request
from dqngui.presets import read_experiment
from dqngui.runs.folder import create
from dqngui.settings import with_settings

STORE = 200 * 1024 * 1024
SETTINGS: dict[str, Any] = {"run.eval_every": 5_000, "run.eval_episodes": 5, "run.device": "cpu"}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=30_000)
    parser.add_argument("--preset", default="tmaze")
    given = parser.parse_args()
    from ray.cluster_utils import Cluster

    small = {"object_store_memory": STORE, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **small})
    try:
        for _ in range(2):
            cluster.add_node(num_cpus=1, object_store_memory=STORE)
        with RayHosts(cluster.address) as hosts:
            print(json.dumps(measured(hosts, given.repeats, given.steps, given.preset), indent=2))
    finally:
        cluster.shutdown()


def measured(hosts: RayHosts, repeats: int, steps: int, preset: str) -> dict[str, Any]:
    """Medians of all ways, and their ratios to processes, pair by pair."""
    ways = ("process", "ray", "ray mirrored")
    speeds: dict[str, list[float]] = {way: [] for way in ways}
    walls: dict[str, list[float]] = {way: [] for way in ways}
    for repeat in range(repeats):
        for way in ways if repeat % 2 == 0 else reversed(ways):
            speed, wall = trained(way, hosts, steps, preset)
            speeds[way].append(speed)
            walls[way].append(wall)
            print(f"{way}: {speed:.0f} steps/s, {wall:.1f} s", flush=True)
    return {
        way: {
            "steps_per_second": round(statistics.median(speeds[way])),
            "to_processes": round(
                statistics.median(one / other for one, other in zip(speeds[way], speeds["process"], strict=True)), 3
            ),
            "wall_seconds": round(statistics.median(walls[way]), 1),
        }
        for way in ways
    }


def trained(way: str, hosts: RayHosts, steps: int, preset: str) -> tuple[float, float]:
    """Steps per second of training of two runs together, and wall seconds with the start of their processes."""
    runs = Path(tempfile.mkdtemp())
    hosts.mirror = way == "ray mirrored"
    try:
        opened: list[Host] = []
        for seed in range(2):
            settings = {**SETTINGS, "run.total_steps": steps, "run.seed": seed}
            experiment = with_settings(read_experiment(preset), settings)
            request = Request(job="train", experiment=experiment, folder=str(create(runs, experiment)))
            opened.append(open_host("process", request) if way == "process" else hosts.open("ray", request))
        began = time.perf_counter()
        for host in opened:
            host.start()
        ends: list[Finished] = []
        while any(host.alive for host in opened):
            for host in opened:
                ends += [event for event in host.drain() if isinstance(event, Finished)]
            time.sleep(0.02)
        wall = time.perf_counter() - began
        for host in opened:
            host.join()
        assert [end.reason for end in ends] == ["completed"] * 2
        return sum(end.steps_per_second for end in ends), wall
    finally:
        shutil.rmtree(runs, ignore_errors=True)


if __name__ == "__main__":
    main()
