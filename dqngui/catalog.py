"""Names of everything that can be chosen, with a summary, where it lives and its options.

An entry names its object by string, so that reading the catalog imports neither torch nor Qt.
Adding a module means its own file and one entry here.
"""

from __future__ import annotations

import importlib
from typing import Annotated, Any, Literal

import msgspec

from dqngui.schema import Options, setting


class Entry(msgspec.Struct, frozen=True):
    """One choosable thing.

    Attributes:
        summary: one line for help and tooltips.
        target: `module:object`.
        options: its settings.
        needs: a pip requirement it asks for.
        label: its name in the window; empty: the catalog's name.
    """

    summary: str
    target: str
    options: type[Options] = Options
    needs: str = ""
    label: str = ""


class Algorithm(Entry, frozen=True):
    """A learning algorithm; `network`, `module:object`, is what its agents are made of."""

    network: str = ""


def load(entry: Entry) -> Any:
    """Import and return the object an entry names."""
    return load_target(entry.target)


def load_target(target: str) -> Any:
    """Import and return `module:object`."""
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


# -- tasks of our own (any gymnasium id works too) -------------------------------------------------


class TMazeOptions(Options, frozen=True):
    length: Annotated[int, setting("Steps of corridor between the cue and the junction.", ge=1, le=10_000)] = 30
    active: Annotated[
        bool, setting("The agent walks by itself and may turn back; passive: every action moves forward.")
    ] = False


class RecallOptions(Options, frozen=True):
    delay: Annotated[
        int,
        setting(
            "Steps between the early ones, in which the cues come, and the question; more are harder.", ge=0, le=10_000
        ),
    ] = 20
    symbols: Annotated[int, setting("Different symbols; a guess is right once in so many times.", ge=2, le=64)] = 4
    cues: Annotated[
        int, setting("Symbols to remember in their order; one of them is asked for. More fill the memory.", ge=1, le=64)
    ] = 1
    spread: Annotated[
        int, setting("Other early steps that the cues are mixed with at random; 0 shows the cues first.", ge=0, le=1000)
    ] = 4
    distractors: Annotated[
        float, setting("Share of the other steps that show a symbol which must not be remembered.", ge=0, le=1)
    ] = 1.0
    discrete: Annotated[bool, setting("The observation is two categories instead of numbers.")] = False


class PeriodicOptions(Options, frozen=True):
    period: Annotated[
        int, setting("Steps after which the changes come again; so many must be remembered.", ge=1, le=1000)
    ] = 8
    noise: Annotated[
        float, setting("Standard deviation of the noise in every change; the season's own is 1.", ge=0, le=100)
    ] = 0.1
    steps: Annotated[int, setting("Steps of an episode.", ge=1, le=100_000)] = 64
    price: Annotated[bool, setting("The agent sees the price, the sum of all changes, and not the change.")] = False
    reward: Annotated[
        Literal["sign", "profit"], setting("±1 for the side of the next change, or what the position earns.")
    ] = "sign"


class FindOptions(Options, frozen=True):
    entities: Annotated[
        int, setting("Entities in sight; all but one only distract. More are harder.", ge=1, le=256)
    ] = 16
    relevant: Annotated[
        Literal["loudest", "match", "recall"],
        setting(
            "How the relevant entity is told. loudest: its loudness is the largest; match: its name is shown at every "
            "step; recall: at the first step only."
        ),
    ] = "loudest"
    name: Annotated[int, setting("Bits of an entity's name; more make names easier to tell apart.", ge=1, le=30)] = 8
    fewest: Annotated[
        int,
        setting("Entities present at least; how many there are is drawn at every step. More are harder.", ge=1, le=256),
    ] = 1
    steps: Annotated[int, setting("Steps of an episode.", ge=1, le=10_000)] = 8


class CatchOptions(Options, frozen=True):
    rows: Annotated[int, setting("Height of the picture in pixels, and steps of an episode.", ge=2, le=256)] = 10
    columns: Annotated[int, setting("Width of the picture in pixels.", ge=1, le=256)] = 9
    blind: Annotated[
        int, setting("Lowest rows that do not show the ball; more make it longer to remember.", ge=0, le=255)
    ] = 0


TASKS = {
    "dqngui/TMaze-v0": Entry(
        "T-maze: a cue at the start says which way to turn at the end of the corridor",
        "dqngui.envs.tmaze:TMaze",
        TMazeOptions,
    ),
    "dqngui/Recall-v0": Entry(
        "Recall: symbols shown early among distractors are asked for late", "dqngui.envs.recall:Recall", RecallOptions
    ),
    "dqngui/Periodic-v0": Entry(
        "A market with a hidden season: will the next change be up or down?",
        "dqngui.envs.periodic:Periodic",
        PeriodicOptions,
    ),
    "dqngui/Find-v0": Entry(
        "One of many entities tells where to go, the others distract", "dqngui.envs.find:Find", FindOptions
    ),
    "dqngui/Catch-v0": Entry(
        "A ball falls down a small picture, perhaps out of sight, and a paddle must catch it",
        "dqngui.envs.catch:Catch",
        CatchOptions,
    ),
}


# -- wrappers --------------------------------------------------------------------------------------


class KeepOptions(Options, frozen=True):
    entries: Annotated[
        list[int | str],
        setting("Observation entries to keep: indices of a vector, or keys of a dictionary."),
    ]


class FrameStackOptions(Options, frozen=True):
    frames: Annotated[int, setting("Number of last observations joined into one.", ge=2, le=64)] = 4


class RewardScaleOptions(Options, frozen=True):
    factor: Annotated[float, setting("Every reward is multiplied by it.")] = 1.0


class TimeLimitOptions(Options, frozen=True):
    steps: Annotated[int, setting("Episodes are truncated after so many steps.", ge=1)] = 500


class DiscretizeOptions(Options, frozen=True):
    bins: Annotated[
        int | list[int], setting("Bins an action dimension is cut into: one number, or one a dimension.")
    ] = 5


WRAPPERS = {
    "keep": Entry("Keep only some entries of the observation", "dqngui.envs.wrappers:keep", KeepOptions),
    "frame_stack": Entry("Join the last observations", "dqngui.envs.wrappers:frame_stack", FrameStackOptions),
    "reward_scale": Entry("Multiply every reward", "dqngui.envs.wrappers:reward_scale", RewardScaleOptions),
    "time_limit": Entry("Truncate long episodes", "dqngui.envs.wrappers:time_limit", TimeLimitOptions),
    "discretize": Entry("Turn continuous actions into bins", "dqngui.envs.wrappers:discretize", DiscretizeOptions),
}


# -- attention over the tokens of one step ---------------------------------------------------------


class SelfAttentionOptions(Options, frozen=True):
    heads: Annotated[int, setting("Attention heads; must divide the width.", ge=1, le=32)] = 4
    layers: Annotated[int, setting("Attention layers; more see higher-order relations and cost more.", ge=1, le=8)] = 1
    widening: Annotated[
        int,
        setting(
            "A feed-forward layer, so many times as wide as a token, follows each attention layer. Raised, a layer can "
            "compute more from what it gathered, and costs more; 0: none.",
            label="Feed-forward",
            ge=0,
            le=8,
        ),
    ] = 0


class ActionAttentionOptions(Options, frozen=True):
    heads: Annotated[
        int,
        setting(
            "Questions that an action asks at once; must divide the width. More let it look at several tokens.",
            ge=1,
            le=32,
        ),
    ] = 4


class RecurrentAttentionOptions(Options, frozen=True):
    heads: Annotated[
        int,
        setting(
            "Questions that the memory asks at once; must divide the width. More let it look at several tokens.",
            ge=1,
            le=32,
        ),
    ] = 4


ATTENTIONS = {
    "none": Entry(
        "No attention: tokens are joined by one linear layer",
        "dqngui.nets.attention.none:NoAttention",
        label="no attention",
    ),
    "self": Entry(
        "Multi-head self-attention over the tokens of a step, pooled by a learned query",
        "dqngui.nets.attention.self_attention:SelfAttention",
        SelfAttentionOptions,
        label="self-attention",
    ),
    "action": Entry(
        "Action attention: each action asks the tokens of a step a question of its own",
        "dqngui.nets.attention.action:ActionAttention",
        ActionAttentionOptions,
        label="action attention",
    ),
    "recurrent": Entry(
        "Recurrent attention: the memory's last output asks the tokens of a step. Slow: it learns a step at a time",
        "dqngui.nets.attention.recurrent:RecurrentAttention",
        RecurrentAttentionOptions,
        label="recurrent attention",
    ),
}


# -- memory over the steps of an episode -----------------------------------------------------------


class RecurrentOptions(Options, frozen=True):
    chrono: Annotated[
        int,
        setting(
            "Longest time, in steps, that the gates are initialised to remember (chrono initialisation); "
            "0 keeps the usual initialisation. Raise it to the length of what must be remembered.",
            label="Chrono horizon",
            ge=0,
            le=100_000,
        ),
    ] = 0


class TransformerOptions(Options, frozen=True):
    heads: Annotated[int, setting("Attention heads; must divide the width.", ge=1, le=32)] = 4
    layers: Annotated[
        int, setting("Transformer layers; each sees the last `length` outputs of the one below.", ge=1, le=8)
    ] = 1
    length: Annotated[int, setting("Steps a layer looks back over, the present one included.", ge=2, le=4096)] = 16
    gate: Annotated[
        Literal["none", "gru"],
        setting(
            "What joins a layer's answer to its input: none adds them (pre-norm); gru weighs them (GTrXL), which is "
            "steadier with several layers and costs about half as much again.",
        ),
    ] = "none"
    dropout: Annotated[
        float,
        setting(
            "Share of each layer's answers that learning drops by chance. Raised, it fits less to single cases and "
            "learns more slowly.",
            ge=0,
            lt=1,
        ),
    ] = 0.0

    @property
    def context(self) -> int:
        """Past steps that an output can depend on."""
        return self.layers * (self.length - 1)


class MannOptions(Options, frozen=True):
    slots: Annotated[
        int, setting("Places of the external memory. More hold more things at once, and cost more.", ge=2, le=512)
    ] = 16
    slot_width: Annotated[
        int, setting("Numbers that a slot holds. More can tell more things apart, and cost more.", ge=2, le=512)
    ] = 16
    read_heads: Annotated[
        int, setting("Heads that read. More look at several places in one step, and cost more.", ge=1, le=16)
    ] = 1
    write_heads: Annotated[
        int, setting("Heads that write. More write to several places in one step, and cost more.", ge=1, le=8)
    ] = 1
    shift: Annotated[
        int,
        setting(
            "Slots by which a head may move in one step, either way. Raised, heads move faster and find their place "
            "later; 0 leaves addressing by content only.",
            ge=0,
            le=8,
        ),
    ] = 1
    chrono: Annotated[
        int,
        setting(
            "Longest time, in steps, that the controller's gates are initialised to remember; 0 keeps the usual "
            "initialisation. Raise it to the length of what must be remembered.",
            label="Chrono horizon",
            ge=0,
            le=100_000,
        ),
    ] = 0


class LRUOptions(Options, frozen=True):
    layers: Annotated[int, setting("Recurrent layers; more can combine what the ones below remember.", ge=1, le=8)] = 1
    chrono: Annotated[
        int,
        setting(
            "Longest time, in steps, that units hold what they saw at the start; 0 leaves it to the radius. Raise it "
            "to the length of what must be remembered.",
            label="Chrono horizon",
            ge=0,
            le=100_000,
        ),
    ] = 0
    max_radius: Annotated[
        float,
        setting(
            "Largest |λ| at the start, where there is no chrono horizon: the eigenvalues fill a disc. A unit holds "
            "what it saw for about 1 / (1 − |λ|) steps.",
            advanced=True,
            gt=0,
            le=0.9999,
        ),
    ] = 0.99
    max_turn: Annotated[
        float,
        setting(
            "Largest share of a full turn that λ makes in one step at the start. Lower prefers slow changes.",
            advanced=True,
            gt=0,
            le=1,
        ),
    ] = 1.0


class MinGRUOptions(RecurrentOptions, frozen=True):
    layers: Annotated[
        int, setting("Recurrent layers; gates of the upper ones hear of the past through those below.", ge=1, le=8)
    ] = 1


class DncOptions(Options, frozen=True):
    slots: Annotated[
        int,
        setting(
            "Places of the external memory. More hold more things; the cost grows with their square.", ge=2, le=256
        ),
    ] = 16
    slot_width: Annotated[
        int, setting("Numbers that a slot holds. More can tell more things apart, and cost more.", ge=2, le=512)
    ] = 16
    read_heads: Annotated[
        int, setting("Heads that read. More look at several places in one step, and cost more.", ge=1, le=16)
    ] = 1
    chrono: Annotated[
        int,
        setting(
            "Longest time, in steps, that the controller's gates are initialised to remember; 0 keeps the usual "
            "initialisation. Raise it to the length of what must be remembered.",
            label="Chrono horizon",
            ge=0,
            le=100_000,
        ),
    ] = 0


class SarimaOptions(Options, frozen=True):
    p: Annotated[
        int, setting("Autoregressive order: the forecast weighs so many of the last observations.", ge=0, le=100)
    ] = 2
    d: Annotated[
        int,
        setting(
            "How often differences are taken. 1 forecasts changes instead of levels, 2 changes of changes: for series "
            "that wander off or follow a trend.",
            ge=0,
            le=2,
        ),
    ] = 0
    q: Annotated[
        int,
        setting("Moving average order: the forecast weighs so many of its own last errors.", ge=0, le=100),
    ] = 1
    seasonal_p: Annotated[
        int, setting("The forecast weighs what was observed so many seasons back.", label="Seasonal p", ge=0, le=10)
    ] = 1
    seasonal_d: Annotated[
        int,
        setting(
            "How often differences to the season before are taken: for a pattern that stays. It then forecasts "
            "changes from season to season.",
            label="Seasonal d",
            ge=0,
            le=2,
        ),
    ] = 0
    seasonal_q: Annotated[
        int,
        setting("The forecast weighs its own errors of so many seasons back.", label="Seasonal q", ge=0, le=10),
    ] = 0
    season: Annotated[
        int, setting("Length of a season: what the agent sees comes again after it.", unit="steps", ge=2, le=1000)
    ] = 12


MEMORIES = {
    "none": Entry(
        "No memory: the agent sees the present step only", "dqngui.nets.memory.none:NoMemory", label="no memory"
    ),
    "lstm": Entry("Long short-term memory", "dqngui.nets.memory.lstm:LSTM", RecurrentOptions, label="LSTM"),
    "gru": Entry("Gated recurrent unit", "dqngui.nets.memory.gru:GRU", RecurrentOptions, label="GRU"),
    "transformer": Entry(
        "Causal transformer over the last steps, with relative positions",
        "dqngui.nets.memory.transformer:Transformer",
        TransformerOptions,
        label="transformer",
    ),
    "mann": Entry(
        "Neural Turing machine: an LSTM that reads and writes an external memory",
        "dqngui.nets.memory.mann:MANN",
        MannOptions,
        label="MANN",
    ),
    "sarima": Entry(
        "SARIMA: a linear forecast of each observed number, with seasons, that learns from its own error",
        "dqngui.nets.memory.sarima:Sarima",
        SarimaOptions,
        label="SARIMA",
    ),
    "dnc": Entry(
        "Differentiable neural computer: an external memory that knows what is free and the order of writing",
        "dqngui.nets.memory.dnc:DNC",
        DncOptions,
        label="DNC",
    ),
    "lru": Entry(
        "Linear recurrent unit: a diagonal complex recurrence, trained by a parallel scan",
        "dqngui.nets.memory.lru:LRU",
        LRUOptions,
        label="LRU",
    ),
    "mingru": Entry(
        "Minimal GRU: gates see the present input only, trained by a parallel scan",
        "dqngui.nets.memory.mingru:MinGRU",
        MinGRUOptions,
        label="minGRU",
    ),
}


# -- algorithms, jobs, panels ----------------------------------------------------------------------

ALGORITHMS = {
    "dqn": Algorithm(
        "Deep Q-learning: double, n-step, windows from replay",
        "dqngui.learning.off_policy:OffPolicy",
        network="dqngui.nets.network:QNetwork",
        label="DQN",
    ),
    "ppo": Algorithm(
        "Proximal policy optimisation: an actor and a critic, taught by what the policy has just done",
        "dqngui.learning.on_policy:OnPolicy",
        network="dqngui.nets.actor_critic:ActorCritic",
        label="PPO",
    ),
}

JOBS = {
    "train": Entry("Train an agent", "dqngui.jobs.train:train"),
    "test": Entry("Play a stored agent greedily and tell its returns", "dqngui.jobs.test:test"),
    "play": Entry("Play an agent step by step for those who watch it", "dqngui.jobs.play:play"),
}

PANELS = {
    "return": Entry("Episode returns and evaluations", "dqngui.gui.panels.returns:ReturnPanel"),
    "learning": Entry("Loss, TD error, values, gradient", "dqngui.gui.panels.learning:LearningPanel"),
    "exploration": Entry("Exploration and speed", "dqngui.gui.panels.exploration:ExplorationPanel"),
    "log": Entry("Tweaks, evaluations and notices in words", "dqngui.gui.panels.log:LogPanel"),
    "agent": Entry("What the agent sees and values, and its player", "dqngui.gui.panels.agent:AgentPanel"),
    "attention": Entry("What each head attends to", "dqngui.gui.panels.attention:AttentionPanel"),
    "memory": Entry("Units of the memory over the episode", "dqngui.gui.panels.memory:MemoryPanel"),
    "runs": Entry("The stored runs, to open, resume and compare", "dqngui.gui.panels.runs:RunsPanel"),
}
