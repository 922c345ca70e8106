"""Whether a task is somebody else's code: a step of it may hold up or end the process in which it runs."""

from __future__ import annotations

from dqngui.config import EnvConfig

KNOWN = frozenset({"dqngui", "gymnasium", "minigrid", "ale_py", "popgym", "minatar", "highway_env"})
"""Packages whose tasks are tried with this one: ours, gymnasium's and the optional ones."""


def is_foreign(config: EnvConfig) -> bool:
    """Whether the task or one of its wrappers comes from a package that is not known here. Imports nothing of it."""
    named = [config.id, *(wrapper.name for wrapper in config.wrappers)]
    modules = {name.rpartition(":")[0] for name in named if ":" in name}
    if ":" not in config.id:
        modules.add(_home(config.id))
    return any(module.partition(".")[0] not in KNOWN for module in modules)


def _home(env_id: str) -> str:
    """Module of an environment that gymnasium knows already; `gymnasium` for one that it does not know yet."""
    import gymnasium

    spec = gymnasium.registry.get(env_id)
    entry = None if spec is None else spec.entry_point
    if isinstance(entry, str):
        return entry.partition(":")[0]
    return "gymnasium" if entry is None else getattr(entry, "__module__", "") or ""
