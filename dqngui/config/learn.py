"""The settings of learning, for every algorithm; an algorithm ignores those that it does not use.

A setting whose type names `Schedule` is a number or a schedule. Algorithms get its present number (`schedule.number`).
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from dqngui.config import ppo
from dqngui.config.schedule import Schedule
from dqngui.schema import SMALLEST, Options, setting


class LearnConfig(Options, frozen=True):
    """The settings of learning."""

    algorithm: Annotated[str, setting("Learning algorithm.")] = "dqn"
    lr: (
        Schedule
        | Annotated[
            float,
            setting(
                "Step size of the optimizer. Higher learns faster until it becomes unstable.",
                label="Learning rate",
                live=True,
                log=True,
                ge=1e-7,
                le=1.0,
            ),
        ]
    ) = 1e-3
    lr_warmup: Annotated[
        int,
        setting(
            "First updates over which the learning rate rises from 0, in a straight line. Raised, the optimizer knows "
            "the size of gradients better before it takes large steps; 0 starts with the whole rate.",
            label="Learning rate warm-up",
            unit="updates",
            log=True,
            advanced=True,
            ge=0,
            le=1_000_000,
        ),
    ] = 0
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
    rollout: ppo.Rollout = 128
    epochs: ppo.Epochs = 4
    clip: Schedule | ppo.Clip = 0.2
    target_kl: ppo.TargetKl = 0.0
    gae_lambda: ppo.GaeLambda = 0.95
    entropy_weight: Schedule | ppo.EntropyWeight = 0.01
    value_weight: ppo.ValueWeight = 0.5
    value_clip: ppo.ValueClip = False
    normalise_advantages: ppo.NormaliseAdvantages = True
    epsilon: (
        Schedule
        | Annotated[
            float,
            setting(
                "Share of random actions. Higher explores more and exploits less.",
                label="Exploration ε",
                live=True,
                ge=0,
                le=1,
            ),
        ]
    ) = Schedule(start=1.0, end=0.05, steps=10_000)
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
    epsilon_repeat: Annotated[
        int,
        setting(
            "Largest number of steps for which a random action is repeated. Raised, the agent explores farther from "
            "where it is; 1: each step draws anew.",
            label="ε repetition",
            unit="steps",
            log=True,
            ge=1,
            le=10_000,
        ),
    ] = 1
    epsilon_repeat_power: Annotated[
        float,
        setting(
            "How much rarer long repetitions are than short ones: n steps have a share of 1/n^power. 0: all lengths "
            "are equally frequent.",
            label="Repetition power",
            advanced=True,
            ge=0,
            le=10,
        ),
    ] = 2.0
    batch_size: Annotated[
        int,
        setting("Windows per update. More give smoother gradients and cost more.", live=True, log=True, ge=1, le=4096),
    ] = 32
    window: Annotated[
        int,
        setting(
            "Learned steps per window. With longer windows a memory can learn to keep information for longer; they "
            "cost more.",
            live=True,
            log=True,
            ge=1,
            le=2048,
        ),
    ] = 32
    burn_in: Annotated[
        int,
        setting(
            "Steps before the learned ones that only refresh the stored state of a recurrent memory. More make the "
            "state more accurate and cost time.",
            live=True,
            log=True,
            ge=0,
            le=2048,
        ),
    ] = 8
    window_from: Annotated[
        Literal["anywhere", "start"],
        setting("Where windows start: anywhere in an episode, or at its start (for cues shown at the start)."),
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
            "Gradient steps at each update. More learn more per step and run slower.",
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
            "soft: the target network moves a little towards the online network at every update; hard: it is copied "
            "from the online network at a fixed interval.",
            label="Target network",
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
    average: Annotated[
        float,
        setting(
            "Share of the online network mixed into the averaged one at an update. The averaged network is what is "
            "evaluated, saved and played. Lower is steadier and reacts later; 1 uses the online network itself.",
            label="Weight averaging",
            live=True,
            log=True,
            ge=1e-4,
            le=1,
        ),
    ] = 0.01
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
    kappa: Annotated[
        float,
        setting(
            "Error up to which the loss of quantiles is quadratic. Raised, errors are smoothed more and the "
            "quantiles differ less; 0: no smoothing.",
            label="Quantile κ",
            live=True,
            log=True,
            ge=0,
            le=100,
        ),
    ] = 1.0
    rescale: Annotated[
        bool,
        setting(
            "Values are learned as roughly their square root, so that small and large returns count alike "
            "and rewards need no scaling.",
            label="Rescaled values",
        ),
    ] = False
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
    predict_next: (
        Schedule
        | Annotated[
            float,
            setting(
                "Weight in the loss of predicting the next observation. Raised, the network learns more about "
                "how the environment behaves and less about action values; 0 switches it off.",
                label="Prediction weight",
                live=True,
                log=True,
                ge=0,
                le=1000,
            ),
        ]
    ) = 1.0
    pretrain_updates: Annotated[
        int,
        setting(
            "First updates that learn only to predict the next observation, without rewards. More prepare "
            "the memory better and delay learning what to do.",
            label="Pre-training updates",
            ge=0,
            le=10_000_000,
        ),
    ] = 0
    self_weight: (
        Schedule
        | Annotated[
            float,
            setting(
                "Weight of the memory's own loss (SARIMA: the error of its forecasts). Raised, the memory fits "
                "the observations better and helps the action values less; 0 switches it off.",
                label="Memory loss weight",
                live=True,
                log=True,
                ge=0,
                le=1000,
            ),
        ]
    ) = 1.0
    augment_noise: Annotated[
        float,
        setting(
            "Noise added to observed numbers during learning, as a share of each number's spread. Raised, "
            "the agent reacts less to small differences; 0 switches it off.",
            label="Observation noise",
            live=True,
            log=True,
            advanced=True,
            ge=0,
            le=10,
        ),
    ] = 0.0
    augment_shift: Annotated[
        int,
        setting(
            "Pixels by which pictures are shifted at random during learning. Raised, the agent depends less "
            "on where things are seen; 0 switches it off.",
            label="Picture shift",
            unit="pixels",
            live=True,
            advanced=True,
            ge=0,
            le=64,
        ),
    ] = 0
    weight_decay: Annotated[
        float,
        setting(
            "How fast weights shrink towards zero at each update (AdamW; biases do not shrink). Raised, weights that "
            "are not needed stay small; 0 switches it off.",
            live=True,
            advanced=True,
            log=True,
            ge=0,
            le=10,
        ),
    ] = 0.0
    adam_eps: Annotated[
        float, setting("Adam's ε; higher damps small gradients.", label="Adam ε", advanced=True, log=True, gt=0, le=1)
    ] = 1e-5
    reward_scale: Annotated[
        Annotated[float, msgspec.Meta(ge=SMALLEST, le=1e6)] | None,
        setting(
            "Rewards are multiplied by it before learning (curves show raw rewards). Empty: rewards are divided by the "
            "spread of the discounted returns, measured while the run trains, so that their unit makes no difference.",
            advanced=True,
        ),
    ] = None
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
    priority_beta: (
        Schedule
        | Annotated[
            float,
            setting(
                "How fully the bias of priorities is corrected. Higher corrects more.",
                label="Priority β",
                live=True,
                ge=0,
                le=1,
            ),
        ]
    ) = 0.4
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
