"""What an experiment is: frozen structs with bounds, help and live or fork marks; TOML in and out.

`learn.lr` in a TOML file, in `--set learn.lr=1e-3`, in the form and in the log is the same name.
Reading never runs code, and every error is one sentence that names the field and what it allows.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import tomli_w

from dqngui import catalog
from dqngui.schema import Field, Options, fields_of, first_not_finite, setting

SCHEMA_VERSION = 1


class ConfigError(ValueError):
    """The user's mistake in an experiment, in one sentence."""


class Schedule(Options, frozen=True):
    """A quantity that moves in a straight line from `start` to `end` over `steps` environment steps."""

    atomic = True  # the form and the knobs treat a schedule as one setting

    start: Annotated[float, setting("Value at the first step.", ge=0, le=1)]
    end: Annotated[float, setting("Value from `steps` on.", ge=0, le=1)]
    steps: Annotated[int, setting("Environment steps from start to end.", ge=0)]

    def at(self, step: int) -> float:
        """Value after `step` environment steps."""
        share = 1.0 if self.steps == 0 else min(1.0, step / self.steps)
        return self.start + share * (self.end - self.start)


class Wrapper(Options, frozen=True):
    """One environment wrapper by its catalog name."""

    name: str
    options: dict[str, Any] = {}


class EnvConfig(Options, frozen=True):
    """The task."""

    id: Annotated[str, setting("Gymnasium id, or `module:Id` to import a module first.", label="Environment")] = (
        "CartPole-v1"
    )
    kwargs: Annotated[dict[str, Any], setting("Arguments of the environment.", advanced=True)] = {}
    wrappers: Annotated[tuple[Wrapper, ...], setting("Wrappers, innermost first.", advanced=True)] = ()
    num_envs: Annotated[
        int,
        setting(
            "Environments stepped together. More give faster and more varied data per update.",
            label="Environments",
            ge=1,
            le=1024,
        ),
    ] = 16
    features: Annotated[
        tuple[str, ...], setting("Names of the observation's entries, for the plots.", advanced=True)
    ] = ()
    actions: Annotated[tuple[str, ...], setting("Names of the actions, for the plots.", advanced=True)] = ()


class NetConfig(Options, frozen=True):
    """The network: encoder, attention, memory, head."""

    attention: Annotated[str, setting("How the parts of one observation are weighed.")] = "self"
    attention_options: Annotated[dict[str, Any], setting("Settings of the attention.", advanced=True)] = {}
    memory: Annotated[str, setting("What carries information from step to step.")] = "gru"
    memory_options: Annotated[dict[str, Any], setting("Settings of the memory.", advanced=True)] = {}
    width: Annotated[
        int, setting("Size of a token and of the memory. More can represent more and costs more.", ge=4, le=4096)
    ] = 64
    hidden: Annotated[
        tuple[Annotated[int, msgspec.Meta(ge=1, le=8192)], ...],
        setting("Sizes of the encoder's hidden layers before the token.", label="Encoder layers", advanced=True),
    ] = ()
    tokens: Annotated[
        Literal["one", "feature"],
        setting("A vector observation is one token, or one token a feature (attention then weighs features)."),
    ] = "feature"
    head: Annotated[
        Literal["linear", "dueling"], setting("Dueling splits the action values into a state value and advantages.")
    ] = "linear"
    previous_action: Annotated[bool, setting("The memory also sees the previous action.", advanced=True)] = True
    previous_reward: Annotated[bool, setting("The memory also sees the previous reward.", advanced=True)] = True


class LearnConfig(Options, frozen=True):
    """Learning."""

    algorithm: Annotated[str, setting("Learning algorithm.")] = "dqn"
    lr: Annotated[
        float,
        setting(
            "Step size of the optimizer. Higher learns faster until it becomes unstable.",
            label="Learning rate",
            live=True,
            log=True,
            ge=1e-7,
            le=1.0,
        ),
    ] = 1e-3
    gamma: Annotated[
        float,
        setting(
            "How much the future counts. Higher looks further ahead and learns more slowly.",
            label="Discount γ",
            live=True,
            ge=0,
            le=1,
        ),
    ] = 0.99
    epsilon: Annotated[
        Schedule,
        setting("Share of random actions. Higher explores more and exploits less.", label="Exploration ε", live=True),
    ] = Schedule(start=1.0, end=0.05, steps=10_000)
    epsilon_ladder: Annotated[
        float,
        setting(
            "Spread of ε over the environments: environment i uses ε^(1 + i·spread/(n−1)). Raised, some "
            "environments explore much less than others; 0 gives all the same ε.",
            label="ε spread",
            ge=0,
            le=20,
        ),
    ] = 0.0
    batch_size: Annotated[
        int,
        setting("Windows per update. More give smoother gradients and cost more.", live=True, log=True, ge=1, le=4096),
    ] = 32
    window: Annotated[
        int,
        setting(
            "Learned steps per window. Longer windows teach longer memory and cost more.",
            live=True,
            log=True,
            ge=1,
            le=2048,
        ),
    ] = 32
    burn_in: Annotated[
        int,
        setting(
            "Steps that only refresh a recurrent memory before the learned ones. More make the stored "
            "state fresher and cost time.",
            live=True,
            log=True,
            ge=0,
            le=2048,
        ),
    ] = 8
    window_from: Annotated[
        Literal["anywhere", "start"],
        setting("Where windows begin: anywhere in an episode, or at its start (for cues shown at the start)."),
    ] = "anywhere"
    state_stride: Annotated[
        int,
        setting(
            "A recurrent memory's state is stored every so many steps, and windows start there. Higher "
            "saves memory and varies the windows less.",
            advanced=True,
            ge=1,
            le=1024,
        ),
    ] = 4
    n_step: Annotated[
        int,
        setting(
            "Real rewards summed before the bootstrap. Higher spreads rewards faster, with more noise.",
            label="n-step",
            live=True,
            log=True,
            ge=1,
            le=100,
        ),
    ] = 5
    double: Annotated[
        bool, setting("The online network picks the next action, the target network values it.", label="Double DQN")
    ] = True
    update_every: Annotated[
        int,
        setting(
            "Environment steps between updates. Higher runs faster and learns less per step.",
            unit="steps",
            live=True,
            log=True,
            ge=1,
            le=100_000,
        ),
    ] = 64
    updates: Annotated[
        int,
        setting(
            "Updates each time. More learn more per step and run slower.",
            label="Updates each time",
            live=True,
            log=True,
            ge=1,
            le=1024,
        ),
    ] = 1
    target: Annotated[
        Literal["soft", "hard"],
        setting(
            "The target network follows a little at every update, or is copied now and then.", label="Target network"
        ),
    ] = "soft"
    tau: Annotated[
        float,
        setting(
            "Share of the online network mixed into the target at an update. Higher follows faster, less steadily.",
            label="Target τ",
            live=True,
            log=True,
            gt=0,
            le=1,
        ),
    ] = 0.03
    target_every: Annotated[
        int,
        setting(
            "Environment steps between copies to a hard target. Higher is steadier and slower.",
            label="Target period",
            unit="steps",
            live=True,
            log=True,
            ge=1,
            le=1_000_000,
        ),
    ] = 500
    loss: Annotated[Literal["huber", "squared"], setting("Loss on the TD error.")] = "huber"
    grad_clip: Annotated[
        float,
        setting(
            "Largest gradient norm; 0 switches clipping off. Lower is steadier and slower.",
            label="Gradient clip",
            live=True,
            log=True,
            ge=0,
            le=1000,
        ),
    ] = 10.0
    adam_eps: Annotated[
        float, setting("Adam's ε; higher damps small gradients.", label="Adam ε", advanced=True, log=True, gt=0, le=1)
    ] = 1e-5
    reward_scale: Annotated[
        float,
        setting("Rewards are multiplied by it before learning (curves show raw rewards).", advanced=True, gt=0, le=1e6),
    ] = 0.1
    warmup: Annotated[int, setting("Environment steps of random play before the first update.", unit="steps", ge=0)] = (
        2_000
    )
    replay_capacity: Annotated[
        int,
        setting(
            "Steps kept for learning. More remember older behaviour; recurrent agents often prefer fewer.",
            label="Replay size",
            unit="steps",
            log=True,
            ge=64,
            le=50_000_000,
        ),
    ] = 30_000
    prioritized: Annotated[
        bool, setting("Windows with a large TD error are replayed more often.", label="Prioritised replay")
    ] = False
    priority_alpha: Annotated[
        float, setting("How strongly priorities count; 0 is uniform.", label="Priority α", advanced=True, ge=0, le=2)
    ] = 0.6
    priority_beta: Annotated[
        float,
        setting(
            "How fully the bias of priorities is corrected. Higher corrects more.",
            label="Priority β",
            live=True,
            ge=0,
            le=1,
        ),
    ] = 0.4
    priority_eta: Annotated[
        float,
        setting(
            "Mixture of largest and mean TD error in a window's priority.",
            label="Priority η",
            advanced=True,
            ge=0,
            le=1,
        ),
    ] = 0.9


class RunConfig(Options, frozen=True):
    """How long, where and how often."""

    total_steps: Annotated[
        int, setting("Environment steps of the whole run.", label="Total steps", unit="steps", log=True, ge=1)
    ] = 150_000
    seed: Annotated[int, setting("Seed of everything random in the run.", ge=0, le=2**31 - 1)] = 0
    device: Annotated[str, setting("auto, cpu, cuda, cuda:N or mps.", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")] = "auto"
    host: Annotated[Literal["inline", "thread", "process"], setting("Where training runs beside the window.")] = (
        "thread"
    )
    threads: Annotated[
        int, setting("Threads of torch; part of the experiment because sums depend on it.", ge=1, le=256)
    ] = 1
    eval_every: Annotated[
        int,
        setting(
            "Environment steps between greedy evaluations; 0 switches them off.",
            label="Evaluate every",
            unit="steps",
            ge=0,
        ),
    ] = 5_000
    eval_episodes: Annotated[
        int, setting("Episodes of an evaluation. More are steadier and take longer.", ge=1, le=1000)
    ] = 10
    stop_at: Annotated[
        float | None, setting("Stop when two disjoint evaluations both reach this mean return.", label="Stop at return")
    ] = None
    log_every: Annotated[
        int, setting("Environment steps between rows of the learning curves.", unit="steps", advanced=True, ge=1)
    ] = 500
    checkpoint_every: Annotated[int, setting("Environment steps between checkpoints.", unit="steps", ge=1)] = 10_000


class Experiment(Options, frozen=True):
    """Everything that a run depends on."""

    title: str = ""
    env: EnvConfig = EnvConfig()
    net: NetConfig = NetConfig()
    learn: LearnConfig = LearnConfig()
    run: RunConfig = RunConfig()


SECTIONS: dict[str, type[Options]] = {"env": EnvConfig, "net": NetConfig, "learn": LearnConfig, "run": RunConfig}
_CHOSEN_BY_NAME = {
    "net.attention": catalog.ATTENTIONS,
    "net.memory": catalog.MEMORIES,
    "learn.algorithm": catalog.ALGORITHMS,
}
_OPTIONS_OF = {"attention": catalog.ATTENTIONS, "memory": catalog.MEMORIES}


def experiment_fields() -> list[Field]:
    """Every setting of an experiment in the form's order, without the modules' own options."""
    fields = [field for name, struct in SECTIONS.items() for field in fields_of(struct, f"{name}.")]
    return [
        msgspec.structs.replace(field, kind="choice", choices=tuple(names))
        if (names := _CHOSEN_BY_NAME.get(field.path))
        else field
        for field in fields
    ]


def options_fields(slot: Literal["attention", "memory"], name: str) -> list[Field]:
    """Settings of one attention or memory, with paths such as `net.memory_options.chrono`."""
    return list(fields_of(_OPTIONS_OF[slot][name].options, f"net.{slot}_options."))


def live_fields() -> list[Field]:
    """The knobs: settings that may change while a run trains."""
    return [field for field in experiment_fields() if field.live]


def field_at(path: str) -> Field:
    """The setting with this dotted name. Raises ConfigError for an unknown one."""
    for field in experiment_fields():
        if field.path == path:
            return field
    section = path.split(".", 1)[0]
    known = [f.path for f in experiment_fields() if f.path.startswith(f"{section}.")] or list(SECTIONS)
    raise ConfigError(f"unknown setting `{path}`; there are: {', '.join(known)}")


# -- from plain data ------------------------------------------------------------------------------


def experiment_from(data: Mapping[str, Any]) -> Experiment:
    """Build and check an experiment from plain data (as read from TOML). Raises ConfigError."""
    if (bad := first_not_finite(dict(data), "")) is not None:
        raise ConfigError(f"`{bad}` must be a finite number")
    try:
        experiment = msgspec.convert(dict(data), Experiment)
    except msgspec.ValidationError as error:
        raise ConfigError(_sentence(error)) from None
    return checked(experiment)


def _sentence(error: msgspec.ValidationError, root: str = "") -> str:
    text = str(error)
    reason, _, where = text.partition(" - at `$")
    where = where.rstrip("`").lstrip(".")
    path = ".".join(part for part in (root, where) if part)
    if "unknown field" in reason:
        name = reason.split("`")[1]
        path, reason = (f"{path}.{name}" if path else name), "is not a setting"
        return _unknown(path)
    return f"`{path}`: {reason[0].lower()}{reason[1:]}" if path else reason


def _unknown(path: str) -> str:
    parent = path.rsplit(".", 1)[0] if "." in path else ""
    if parent in SECTIONS:
        allowed = [field.name for field in fields_of(SECTIONS[parent])]
    elif parent == "":
        allowed = ["title", *SECTIONS]
    else:
        return f"`{path}` is not a setting"
    return f"`{path}` is not a setting; {parent or 'an experiment'} has: {', '.join(allowed)}"


def module_options(experiment: Experiment, slot: Literal["attention", "memory"]) -> Options:
    """The typed options of the chosen attention or memory. Raises ConfigError."""
    name = getattr(experiment.net, slot)
    entry = _OPTIONS_OF[slot].get(name)
    if entry is None:
        raise ConfigError(f"`net.{slot}`: there is no {slot} `{name}`; there are: {', '.join(_OPTIONS_OF[slot])}")
    return _options(entry.options, getattr(experiment.net, f"{slot}_options"), f"net.{slot}_options")


def _options(struct: type[Options], data: Mapping[str, Any], path: str) -> Options:
    try:
        return msgspec.convert(dict(data), struct)
    except msgspec.ValidationError as error:
        text = str(error)
        if "unknown field" in text:
            allowed = ", ".join(field.name for field in fields_of(struct)) or "no settings"
            raise ConfigError(f"`{path}.{text.split('`')[1]}` is not a setting; this choice has: {allowed}") from None
        raise ConfigError(_sentence(error, path)) from None


def checked(experiment: Experiment) -> Experiment:
    """The same experiment with the modules' options completed, or ConfigError if parts do not fit."""
    net, learn = experiment.net, experiment.learn
    attention = module_options(experiment, "attention")
    memory = module_options(experiment, "memory")
    if learn.algorithm not in catalog.ALGORITHMS:
        raise ConfigError(
            f"`learn.algorithm`: there is no algorithm `{learn.algorithm}`; there are: {', '.join(catalog.ALGORITHMS)}"
        )
    for slot, options in (("attention", attention), ("memory", memory)):
        heads = getattr(options, "heads", 1)
        if net.width % heads:
            raise ConfigError(f"`net.{slot}_options.heads`: {heads} heads do not divide `net.width` = {net.width}")
    longest = learn.window + learn.burn_in + learn.n_step
    num_envs = experiment.env.num_envs
    per_env = learn.replay_capacity // num_envs
    if per_env < 2 * longest:
        raise ConfigError(
            f"`learn.replay_capacity`: {learn.replay_capacity:,} steps over {num_envs} environments hold {per_env:,} "
            f"each, too few for windows of {longest} steps (burn-in, window and n-step); "
            f"at least {2 * longest * num_envs:,} are needed"
        )
    wrappers = []
    for index, wrapper in enumerate(experiment.env.wrappers):
        path = f"env.wrappers[{index}]"
        entry = catalog.WRAPPERS.get(wrapper.name)
        if entry is None:
            raise ConfigError(
                f"`{path}.name`: there is no wrapper `{wrapper.name}`; there are: {', '.join(catalog.WRAPPERS)}"
            )
        filled = _options(entry.options, wrapper.options, f"{path}.options")
        wrappers.append(Wrapper(name=wrapper.name, options=msgspec.to_builtins(filled)))
    net = msgspec.structs.replace(
        net, attention_options=msgspec.to_builtins(attention), memory_options=msgspec.to_builtins(memory)
    )
    env = msgspec.structs.replace(experiment.env, wrappers=tuple(wrappers))
    return msgspec.structs.replace(experiment, net=net, env=env)


def as_data(experiment: Experiment) -> dict[str, Any]:
    """Plain data of an experiment; None is left out, since TOML has none."""
    return _without_none(msgspec.to_builtins(experiment))


def _without_none(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _without_none(value) for key, value in data.items() if value is not None}
    if isinstance(data, (list, tuple)):
        return [_without_none(value) for value in data]
    return data


# -- changes --------------------------------------------------------------------------------------


def with_settings(experiment: Experiment, changes: Mapping[str, Any]) -> Experiment:
    """A checked copy with settings replaced by dotted name (`net.memory_options.chrono` too).

    Choosing another attention or memory drops the options of the former. Raises ConfigError.
    """
    data = as_data(experiment)
    for slot in ("attention", "memory"):
        new = changes.get(f"net.{slot}")
        if new is not None and new != data["net"][slot]:
            data["net"][f"{slot}_options"] = {}
    for path, value in changes.items():
        *parents, name = path.split(".")
        if not parents and name != "title":
            raise ConfigError(_unknown(path))
        node = data
        for parent in parents:
            node = node.setdefault(parent, {})
            if not isinstance(node, dict):
                raise ConfigError(f"`{path}` is not a setting")
        if value is None:
            node.pop(name, None)
        else:
            node[name] = value
    return experiment_from(data)


def parse_assignments(assignments: list[str]) -> dict[str, Any]:
    """`["learn.lr=1e-3", "net.memory=lstm"]` to settings; a value is TOML, or else text. Raises ConfigError."""
    changes: dict[str, Any] = {}
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        if not equals or not path.strip():
            raise ConfigError(f"`--set {assignment}`: write it as section.field=value, for example learn.lr=1e-3")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text.strip()
        changes[path.strip()] = value
    return changes


def knob_value(path: str, value: Any) -> Any:
    """Check a value for a live knob and return it in its own type.

    A schedule takes a plain number, or None to return to the schedule.
    Raises ConfigError for an unknown, fork-only or out-of-range setting.
    """
    field = field_at(path)
    if not field.live:
        raise ConfigError(f"`{path}` cannot change while the run trains; fork the run to change it")
    if field.kind == "struct":
        if value is None:
            return None
        return _checked_number(path, value, float, 0.0, 1.0)
    section, name = path.split(".", 1)
    try:
        data = {name: value}
        if first_not_finite(data, ""):
            raise ConfigError(f"`{path}` must be a finite number")
        return getattr(msgspec.convert(data, SECTIONS[section]), name)
    except msgspec.ValidationError as error:
        raise ConfigError(_sentence(error, section)) from None


def _checked_number(path: str, value: Any, kind: type, low: float, high: float) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ConfigError(f"`{path}`: expected a number from {low:g} to {high:g}, got {value!r}")
    return kind(value)


# -- files ----------------------------------------------------------------------------------------


def preset_names() -> list[str]:
    """Names of the shipped experiments."""
    return sorted(path.name.removesuffix(".toml") for path in _presets() if path.name.endswith(".toml"))


def _presets() -> Iterator[Any]:
    yield from package_data("configs").iterdir()


def package_data(folder: Literal["configs", "assets"]) -> Any:
    """A folder of shipped data, in a checkout (beside the package) or in an installed wheel (inside it)."""
    inside = resources.files("dqngui") / "_data" / folder
    if inside.is_dir():
        return inside
    return Path(__file__).resolve().parent.parent / folder


def read_experiment(source: str | Path) -> Experiment:
    """An experiment from a TOML file, or from the name of a shipped one. Raises ConfigError."""
    path = Path(source)
    if not path.suffix and not path.exists():
        preset = package_data("configs") / f"{source}.toml"
        if not preset.is_file():
            raise ConfigError(f"there is no file or preset `{source}`; presets: {', '.join(preset_names())}")
        path = preset
    return parse_experiment(_text_of(path, source), str(source))


def _text_of(path: Any, source: str | Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"`{source}` is not a text file in UTF-8") from None
    except OSError as error:
        raise ConfigError(f"cannot read `{source}`: {error.strerror}") from None


def parse_experiment(text: str, source: str) -> Experiment:
    """An experiment from TOML text; `source` names it in errors. Raises ConfigError."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"`{source}` is not a TOML file: {error}") from None
    data.pop("about", None)
    try:
        return experiment_from(data)
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}") from None


def to_toml(experiment: Experiment, about: Mapping[str, Any] | None = None) -> str:
    """TOML text of a complete experiment; `about` (versions and so on) is written first and ignored on reading."""
    head = {"about": {"schema": SCHEMA_VERSION, **(about or {})}}
    return tomli_w.dumps({**head, **as_data(experiment)})
