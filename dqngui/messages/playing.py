"""What the player tells, and what may be asked of it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from dqngui.config import Experiment
from dqngui.messages.message import Command, Event
from dqngui.texts import Text, words


class View(msgspec.Struct, frozen=True):
    """What a network can record at every step, announced before anything runs.

    Attributes:
        name: path such as `memory/hidden` or `attention/self/0`.
        axes: names of the axes of one step (`unit`; `head`, `query`, `key`).
        shape: their lengths.
        signed: values lie around zero; else they are shares in 0…1.
    """

    name: str
    axes: tuple[str, ...]
    shape: tuple[int, ...]
    signed: bool = False


class PlayerReady(Event, frozen=True):
    """The player has an agent (not logged); `step` is how far its weights were trained, 0 without any yet.

    Attributes:
        views: everything that is recorded of it.
        derivable: what is computed beside that only where `BeginEpisode.derive` names it, since it takes longer.
        held, weights: names of the views that a `Change` may aim at: what the memory carries from step to step, and
            weights that a softmax made.
        labels: names along an axis, by the axis' name (`query`, `key`: the tokens); axes without names are counted.
        cells: where tokens are cells of a picture: the place of the first one, rows and columns.
        entities: where tokens are entities: the place of the first one, and how many they are.
        sees: the picture or grid that is observed: its rows and columns; None: there is none.
        turned: the rows of what is observed run downwards in columns (minigrid's x comes before y).
        texts: names of the texts that are observed.
        judged: what the agent's numbers for the actions are: values, or probabilities.
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
    cells: tuple[int, int, int] | None = None
    entities: tuple[int, int] | None = None
    sees: tuple[int, int] | None = None
    turned: bool = False
    texts: tuple[str, ...] = ()
    judged: Literal["value", "probability"] = "value"
    actions: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    fps: float = 30.0
    no_picture: Text | str = ""

    @property
    def no_picture_in_words(self) -> str:
        """Why the environment draws no picture, as a sentence; empty if it does."""
        return words(self.no_picture)


class EpisodeBegan(Event, frozen=True):
    """The player begins an episode (not logged); `step` is how far its weights were trained.

    Attributes:
        number: counts the player's episodes, as asked for.
        recorded: views come with the steps.
        given: how many first actions were given to it.
    """

    logged = False
    number: int
    seed: int
    epsilon: float = 0.0
    recorded: bool = True
    given: int = 0


class Played(Event, frozen=True):
    """Steps [first, first + n) of the player's episode (not logged). At step t the agent saw o_t and did a_t.

    Attributes:
        ended: no step follows the last of these; `truncated`: by a time limit.
        tensors: `q` (n, A), `action` (n,), `reward` (n,) raw, `observation` (n, F), `view/NAME` (n, *shape).
    """

    logged = False
    number: int
    first: int
    tensors: dict[str, Any]
    ended: bool = False
    truncated: bool = False


class Frame(Event, frozen=True):
    """The picture of the player's episode before step t; of t = length, after the last step (not logged).

    Attributes:
        tensors: `pixels` (H, W, 3) uint8, none where no picture could be drawn.
        size: the largest (width, height) that was asked for.
    """

    logged = False
    number: int
    t: int
    tensors: dict[str, Any]
    size: tuple[int, int] = (640, 480)


class Described(Event, frozen=True):
    """What is seen at step t of the player's episode, by the agent and before any change (not logged).

    Attributes:
        tensors: `observation` (F,) numbers; `text/NAME` (n,) uint8, UTF-8; `picture` (H, W, 3) uint8, a picture or grid
            that is observed, as the agent sees it; `places` (N, 2) float32, where the environment draws its entities,
            if it says so: shares of its picture's width (right) and height (down), NaN for what is absent. Nothing of
            a step that the environment does not come to again.
    """

    logged = False
    number: int
    t: int
    tensors: dict[str, Any]


class OpenAgent(Command, frozen=True):
    """To the player: the agent to play from now on; it answers PlayerReady, or Failed and goes on waiting.

    Attributes:
        folder: a run whose stored weights play; None: weights come with `UseWeights`.
        experiment: needed without a folder.
        checkpoint: of the folder: `best` (the last where there is none), `last` or a step.
    """

    experiment: Experiment | None = None
    folder: str | None = None
    checkpoint: Literal["best", "last"] | int = "best"


class UseWeights(Command, frozen=True):
    """To the player: weights of its agent, trained for `step` steps; used from the next episode on."""

    step: int
    tensors: dict[str, Any]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A hand laid on an episode: what would the agent do if this were otherwise?

    Steps `first` to `last` (None: to the episode's end) are changed, `first` included and `last` too. What is changed
    is `action` (what is done, whatever the agent says), `observation` (what the agent sees of it, by the numbers of
    `PlayerReady.features`) or views by a name pattern. A view of what a memory holds (`Memory.held`) is changed as it
    enters the step; a view of weights, which a softmax made, where it is used.

    Attributes:
        target: `action`, `observation`, or a pattern of view names such as `memory/hidden` or `attention/*`.
        at: places along each of its axes; () or None at an axis: all of them. Where fewer are given than there are
            axes, they are of the last axes, so that `attention/*` at ((3,),) is token 3 of all of them.
        do: `set` to `value`; `scale` by it; `remove`: nothing of what is held or seen (0), and of weights none at
            these places, the rest of their row growing in proportion (a row without any rest becomes zeros).
    """

    target: str
    first: int
    last: int | None = None
    at: tuple[tuple[int, ...] | None, ...] = ()
    do: Literal["set", "scale", "remove"] = "set"
    value: float = 0.0


class BeginEpisode(Command, frozen=True):
    """To the player: leave the present episode and begin one; it answers EpisodeBegan once it has weights.

    Attributes:
        number: what the window will call it.
        epsilon: share of random actions, drawn from a generator of the episode's own.
        record: give views with the steps.
        derive: names of `PlayerReady.derivable` that come with the recorded views.
        actions: done first, whatever the agent says: an episode that was recorded, or one up to where it branches.
            The agent's values are told all the same, and its random state goes on as if it had acted.
        changes: interventions; without any the episode is what it would be without this field, bit for bit.
        driven: behind `actions` each step waits for `Drive`.
    """

    number: int
    seed: int
    epsilon: float = 0.0
    record: bool = True
    derive: tuple[str, ...] = ()
    actions: tuple[int, ...] = ()
    changes: tuple[Change, ...] = ()
    driven: bool = False


class Drive(Command, frozen=True):
    """To the player: do step t of the driven episode `number`; None lets the agent act. Other steps are ignored.

    Attributes:
        onward: the agent acts from this step on by itself, as in an episode that nobody drives; t does not count.
    """

    number: int
    t: int
    action: int | None = None
    onward: bool = False


class Look(Command, frozen=True):
    """To the player: play episode `number` up to step `until`, and draw step t (newest Look wins).

    Attributes:
        t: the step whose `Frame` is wanted (the last one if the episode is shorter); None: no picture.
        until: steps wanted by now, more than t so that playing never waits.
        size: largest (width, height) in pixels that the picture will be drawn in.
    """

    number: int
    until: int
    t: int | None = None
    size: tuple[int, int] = (640, 480)


class Describe(Command, frozen=True):
    """To the player: what is seen at step t of episode `number`; it answers Described once t is played.

    The newest wins. `size` is the largest (width, height) in pixels of its picture.
    """

    number: int
    t: int
    size: tuple[int, int] = (320, 320)
