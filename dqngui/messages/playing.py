"""Events and commands of the playing job."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from dqngui.config import Experiment
from dqngui.messages.message import Command, Event
from dqngui.texts import Text, words


class View(msgspec.Struct, frozen=True):
    """The description of an array that a network can record at every step; known before anything runs.

    Attributes:
        name: path such as `memory/hidden` or `attention/self/0`.
        axes: names of the axes of one step (`unit`; `head`, `query`, `key`).
        shape: lengths of these axes.
        signed: values are positive and negative; else they are shares from 0 to 1.
    """

    name: str
    axes: tuple[str, ...]
    shape: tuple[int, ...]
    signed: bool = False


class PlayerReady(Event, frozen=True):
    """The player has opened an agent (not logged); `step` is how far its weights were trained, 0 if it has none yet.

    Attributes:
        views: everything that is recorded of it.
        derivable: views that take longer, and are computed only if `BeginEpisode.derive` names them.
        held, weights: names of the views that an `Intervention` can change: state that the memory carries from step to
            step, and weights of a softmax.
        labels: names of the entries along an axis, by the axis' name (`query`, `key`: the tokens).
        parts: names of the observation's parts, in the order of their tokens, and the number of tokens of each.
        cells: if tokens are cells of a picture: index of the first such token, and rows and columns of the cells.
        entities: if tokens are entities: index of the first such token, and their number.
        own: index of the token of the agent's own entity; None: there is none, or it is not known.
        observed_size: rows and columns of the picture or grid that is observed; None if there is none.
        transposed: the first axis of the observed grid runs along the columns (minigrid's x comes before y).
        texts: names of the texts that are observed.
        output_kind: what the agent's numbers for the actions (`q` of `Played`) are: values, or probabilities.
        choices: the options of each of several choices that an action consists of, the last one varying fastest; `q`
            and `legal` have an entry an option then, whose names are `actions`. Empty: one entry an action.
        dimensions: names of these choices.
        actions, features: names of the actions and of the observation's entries.
        fps: steps a second at normal speed.
        no_picture: why the environment draws no picture; empty if it does.
    """

    logged = False
    environment: str
    views: tuple[View, ...] = ()
    derivable: tuple[View, ...] = ()
    held: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    labels: dict[str, tuple[str, ...]] = {}
    parts: tuple[tuple[str, int], ...] = ()
    cells: tuple[int, int, int] | None = None
    entities: tuple[int, int] | None = None
    own: int | None = None
    observed_size: tuple[int, int] | None = None
    transposed: bool = False
    texts: tuple[str, ...] = ()
    output_kind: Literal["value", "probability"] = "value"
    choices: tuple[int, ...] = ()
    dimensions: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    fps: float = 30.0
    no_picture: Text | str = ""

    @property
    def no_picture_in_words(self) -> str:
        """Why the environment draws no picture, as a sentence; empty if it does."""
        return words(self.no_picture)


class EpisodeBegan(Event, frozen=True):
    """The player has started an episode (not logged); `step` is how far its weights were trained.

    Attributes:
        number: the episode's number in `BeginEpisode`.
        recorded: views come with the steps.
        given: number of first actions that were prescribed by `BeginEpisode.actions`.
        legal: whether each action is legal at the first step; empty if the environment does not tell.
    """

    logged = False
    number: int
    seed: int
    epsilon: float = 0.0
    recorded: bool = True
    given: int = 0
    legal: tuple[bool, ...] = ()


class Played(Event, frozen=True):
    """Steps [first, first + n) of the player's episode (not logged). At step t the agent observed o_t and took a_t.

    Attributes:
        ended: the last of these steps is the episode's last; `truncated`: by a time limit.
        tensors: `q` (n, A), `action` (n,), `reward` (n,) raw, `observation` (n, F), `view/NAME` (n, *shape), and
            `legal` (n, A) bool if the environment tells which actions are legal.
        legal: whether each action is legal at the step after these; empty if the environment does not tell.
    """

    logged = False
    number: int
    first: int
    tensors: dict[str, Any]
    ended: bool = False
    truncated: bool = False
    legal: tuple[bool, ...] = ()


class Frame(Event, frozen=True):
    """The picture of the player's episode before step t; with t = length, after the last step (not logged).

    Attributes:
        tensors: `pixels` (H, W, 3) uint8; empty if no picture could be drawn.
        size: the largest (width, height) that was asked for.
    """

    logged = False
    number: int
    t: int
    tensors: dict[str, Any]
    size: tuple[int, int] = (640, 480)


class Described(Event, frozen=True):
    """What the agent observes at step t of the player's episode, without any intervention (not logged).

    Attributes:
        tensors: `observation` (F,) numbers; `text/NAME` (n,) uint8, UTF-8; `note/NAME` the same, named numbers of the
            step for people (`dqngui.envs.step_notes`); `picture` (H, W, 3) uint8, an observed picture or grid, as the
            agent sees it; `places` (N, 2) float32, where the environment draws its entities, if it says so: shares of
            its picture's width (from the left) and height (from the top), NaN for an absent entity. Empty if the
            environment cannot be brought to this step again.
    """

    logged = False
    number: int
    t: int
    tensors: dict[str, Any]


class OpenAgent(Command, frozen=True):
    """To the player: play this agent from now on. It answers PlayerReady, or Failed and waits for other commands.

    Attributes:
        folder: of a run whose stored weights are used; None: weights come with `UseWeights`.
        experiment: required without a folder.
        checkpoint: which weights of the folder: `best` (the last if there is none), `last` or a step.
    """

    experiment: Experiment | None = None
    folder: str | None = None
    checkpoint: Literal["best", "last"] | int = "best"


class UseWeights(Command, frozen=True):
    """To the player: new weights of its agent, trained for `step` steps; used from the next episode on."""

    step: int
    tensors: dict[str, Any]


class Intervention(msgspec.Struct, frozen=True, kw_only=True):
    """A change to what an agent observes, remembers, attends to or does, at some steps of an episode.

    It applies to the steps `first` to `last`, both included (None: to the episode's end). An intervention in what a
    memory carries takes effect before the step, one in weights of a softmax where the weights are used.

    Attributes:
        target: `action` (the agent's action), `observation` (numbers in the order of `PlayerReady.features`), or
            a pattern of view names such as `memory/hidden` or `attention/*`.
        at: chosen indices along each axis of the target; () or None for an axis: all of them. If fewer are given than
            there are axes, they belong to the last axes: `attention/*` at ((3,),) is token 3 of all of them.
        do: `set` to `value`; `scale` by it; `remove`: set numbers to 0, and take weights away, so that the other
            weights of the row grow in proportion (a row without other weights becomes zeros).
    """

    target: str
    first: int
    last: int | None = None
    at: tuple[tuple[int, ...] | None, ...] = ()
    do: Literal["set", "scale", "remove"] = "set"
    value: float = 0.0


class BeginEpisode(Command, frozen=True):
    """To the player: leave the present episode and start this one. It answers EpisodeBegan once it has weights.

    Attributes:
        number: identifies the episode in the answers and in later commands.
        epsilon: share of random actions, drawn from the episode's own generator.
        record: send views with the steps.
        derive: names of `PlayerReady.derivable` that are sent with the recorded views.
        actions: the first actions, which replace the agent's own: those of a recorded episode, or of its first steps.
            The agent's values are sent too, and its random generator advances as if it had chosen.
        interventions: without any, the episode is the same bit for bit as if this field did not exist.
        driven: after `actions`, each step waits for a `Drive`.
    """

    number: int
    seed: int
    epsilon: float = 0.0
    record: bool = True
    derive: tuple[str, ...] = ()
    actions: tuple[int, ...] = ()
    interventions: tuple[Intervention, ...] = ()
    driven: bool = False


class Drive(Command, frozen=True):
    """To the player: take this action at step t of the driven episode `number`; None: the agent's own.

    It is ignored if step t is not the one that waits. An action that is not legal there is answered with Warned.

    Attributes:
        onward: the agent acts by itself from now on, as in an episode that is not driven; `t` is ignored.
    """

    number: int
    t: int
    action: int | None = None
    onward: bool = False


class Look(Command, frozen=True):
    """To the player: play episode `number` up to step `until`, and draw step t. A newer `Look` replaces an older one.

    Attributes:
        t: the step whose `Frame` is wanted (the last one if the episode is shorter); None: no picture.
        until: number of steps wanted by now; more than t, so that playing does not wait for drawing.
        size: largest (width, height) in pixels of the picture.
    """

    number: int
    until: int
    t: int | None = None
    size: tuple[int, int] = (640, 480)


class Describe(Command, frozen=True):
    """To the player: describe what the agent observes at step t of episode `number`; it answers Described.

    A newer `Describe` replaces an older one. `size` is the largest (width, height) in pixels of the picture.
    """

    number: int
    t: int
    size: tuple[int, int] = (320, 320)
