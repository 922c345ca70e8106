"""A Ray cluster as a place for jobs (optional extra `ray`): the connection, its hosts, and whether it still answers."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from typing import Any

from dqngui import catalog
from dqngui.config import ConfigError
from dqngui.hosts.host import Host
from dqngui.hosts.ray_host import RayHost
from dqngui.messages import Request
from dqngui.texts import reason_of, say

KIND = "ray"
CONNECT_S = 5.0
ASK_S = 1.0
GONE_S = 15.0
"""A cluster that has not answered for so long is lost. Ray itself ends this process after a minute."""
STORE_BYTES = 200 * 1024 * 1024
"""Memory for messages on a machine where no cluster runs yet and one is started."""


def _check_listening(address: str | None) -> None:
    """Raises ConfigError if nobody listens at HOST:PORT, where Ray would try again for minutes."""
    host, _, port = (address or "").rpartition(":")
    if not host or "/" in host or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()
    except (OSError, OverflowError) as error:
        problem = (getattr(error, "strerror", "") or str(error)).lower()
        raise ConfigError("ray.no_cluster", address=address, problem=problem) from None


class RayHosts:
    """A connection to a cluster, for the whole process. Also a context manager."""

    def __init__(self, address: str | None = None, *, mirror: bool = False) -> None:
        """Connect; without an address, to the cluster of this machine, which is started if there is none.

        Args:
            mirror: nodes train in folders of their own even where they see the run's.

        Raises ConfigError if Ray is not installed or cannot be reached.
        """
        try:
            import ray
        except ImportError:
            raise ConfigError("extra.missing", what=say("extra.ray"), package="ray", extra="ray") from None
        self.mirror = mirror
        self._largest: set[tuple[float, float]] = set()
        self._over = threading.Event()
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # the nodes see to that; without it, Ray warns
        _check_listening(address or os.environ.get("RAY_ADDRESS"))
        self._connect(address)
        with contextlib.suppress(AttributeError):  # what the nodes' own processes say would be among our lines
            ray._private.worker._worker_logs_enabled = False
        self._heard = time.monotonic()
        self._see(ray.nodes())
        threading.Thread(target=self._watch, name="dqngui-ray-watch", daemon=True).start()

    def _connect(self, address: str | None) -> None:
        import ray

        quiet: dict[str, Any] = {"include_dashboard": False, "logging_level": logging.ERROR, "log_to_driver": False}
        given: dict[str, Any] = {"ignore_reinit_error": True, **quiet}
        try:
            if address is not None or os.environ.get("RAY_ADDRESS"):
                del given["include_dashboard"]
                ray.init(address=address, **given)
                return
            try:
                ray.init(address="auto", **{k: v for k, v in given.items() if k != "include_dashboard"})
            except ConnectionError:
                ray.init(address="local", object_store_memory=STORE_BYTES, **given)
        except Exception as error:
            problem = " ".join(str(reason_of(error)).split())
            raise ConfigError("ray.no_cluster", address=address or "auto", problem=problem) from None

    def open(self, kind: str, request: Request) -> Host:
        """A host for the request, not yet started, as `hosts.open_host`. Raises ConfigError for an unknown job."""
        entry = catalog.JOBS.get(request.job)
        if entry is None:
            raise ConfigError("job.none", name=request.job, known=catalog.JOBS)
        return RayHost(request, entry.target, self)

    @property
    def lost(self) -> bool:
        """The cluster does not answer any more."""
        return time.monotonic() - self._heard > GONE_S

    def check(self) -> None:
        """Raises ConfigError if the cluster is lost."""
        if self.lost:
            raise ConfigError("ray.gone")

    def has_room(self, cpus: int, gpus: int) -> bool:
        """Whether a node, as far as one was ever seen, is large enough; nodes may come and go."""
        return any(cpus <= have_cpus and gpus <= have_gpus for have_cpus, have_gpus in tuple(self._largest))

    def close(self) -> None:
        """Leave the cluster; one that was started for this process ends."""
        import ray

        self._over.set()
        leaving = threading.Thread(target=ray.shutdown, name="dqngui-ray-leave", daemon=True)
        leaving.start()
        leaving.join(5.0 if self.lost else 30.0)

    def __enter__(self) -> RayHosts:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def _watch(self) -> None:
        """Ask again and again; a call to a cluster whose head is gone does not return for a long time."""
        import ray

        while not self._over.wait(ASK_S):
            with contextlib.suppress(Exception):
                nodes = ray.nodes()
                self._heard = time.monotonic()
                self._see(nodes)

    def _see(self, nodes: list[dict[str, object]]) -> None:
        for node in nodes:
            resources = node.get("Resources")
            if node.get("Alive") and isinstance(resources, dict):
                self._largest.add((float(resources.get("CPU", 0)), float(resources.get("GPU", 0))))
