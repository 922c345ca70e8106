"""Suits the agent of the draft to its task: the default agent, as `dqngui train --env ID` finds it."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
from PySide6.QtCore import QObject, Signal, Slot

from dqngui import settings
from dqngui.config import ConfigError, EnvConfig, Experiment
from dqngui.derivation import without_marks
from dqngui.hosts import Host, OpenHost, open_host
from dqngui.jobs.settings_from_task import episode_lengths
from dqngui.lab.background.timing import TickTimer, Timing
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import Action, State
from dqngui.messages import AgentSuited, Failed, Request
from dqngui.texts import Text, reason_of, say

TICK_MS = 40
PATIENCE_S = 60
"""Seconds after which an environment that does not answer is given up. Measuring takes at most ten seconds, making an
environment seldom more than ten.
"""
KEPT = ("run.device", "run.host", "run.seed", "run.threads", "run.total_steps")
"""Settings of the draft that stay, and that may change while the task is tried."""


class _Shown(NamedTuple):
    """The draft as it is shown at a moment.

    Attributes:
        experiment, problem: of the draft.
        env, kept: the settings of the environment and those of `KEPT` as they are shown, valid or not.
    """

    experiment: Experiment
    problem: Text | str
    env: dict[str, Any]
    kept: dict[str, Any]


class _Question(NamedTuple):
    """What was asked.

    Attributes:
        env: the environment to try.
        left_out: settings of the former environment that are not tried, by their labels.
        title: of the experiment that is loaded.
    """

    env: EnvConfig
    left_out: tuple[str, ...]
    title: str


class SuitedAgent(QObject):
    """Tries the draft's task in a process of its own and loads the agent that suits it into the draft.

    Settings that another environment left in the draft (its wrappers, arguments, names) are not tried, because the id
    alone was typed. The result is dropped if the draft is edited meanwhile (except for the settings of `KEPT`), if a
    run starts or if another one is opened. The process is killed when it is not needed any more, so no environment can
    keep the window from going on or from closing.

    Attributes:
        problem: why the task cannot be tried; "" if it can, and after the next change of the draft.

    Signals:
        changed: `trying`, `problem`, `notice` or `offered` changed.
    """

    changed = Signal()

    def __init__(
        self,
        session: Session,
        open_host: OpenHost = open_host,
        timing: Timing | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.problem: Text | str = ""
        self._session, self._open_host = session, open_host
        self._timing = timing or Timing()
        self._seen = session.draft.experiment
        self._origin = self._seen.env  # the environment that the draft's settings were made for
        self._about: _Shown | None = None  # what is being tried, or what `problem` is about
        self._asked: _Question | None = None
        self._found: Experiment | None = None
        self._notice: Text | str = ""
        self._host: Host | None = None
        self._began = 0.0
        self._killed: list[Host] = []
        self._stopped = False
        self._timer = TickTimer(TICK_MS, self._timing, parent=self)
        self._timer.ticked.connect(self.tick)
        session.changed.connect(self._on_changed)
        session.cleared.connect(self._on_cleared)

    # -- what the window shows ---------------------------------------------------------------------

    @property
    def trying(self) -> bool:
        """Whether the task is being tried."""
        return self._host is not None

    @property
    def fits(self) -> bool:
        """Whether the draft has the agent that was found for its task, with any of the settings `KEPT`."""
        return self._found is not None and _same(self._found, self._session.draft.experiment)

    @property
    def notice(self) -> Text | str:
        """What the suited agent follows from; "" if the draft has another one."""
        return self._notice if self.fits else ""

    @property
    def offered(self) -> bool:
        """Whether another environment's id was set and the agent is still that of the former one."""
        return self._session.draft.value("env.id") != self._origin.id

    @property
    def can_ask(self) -> bool:
        """Whether the draft may be edited, and no start waits for torch: the run that starts has its settings."""
        return not self._stopped and not self._session.loading and Action.EDIT in self._session.allowed

    # -- actions -----------------------------------------------------------------------------------

    def ask(self) -> None:
        """Try the draft's task, then load the agent. A wrong setting of the environment becomes the `problem`."""
        if not self.can_ask:
            return
        self._drop()
        self._about = self._shown()
        try:
            self._asked = self._question(self._about)
        except ConfigError as error:
            self._fail(error.text)
            return
        if self._session.trust.blocks(self._asked.env):
            self._fail(self._session.trust.question(self._session.state, self._asked.env))
            return
        request = Request(job="suit", experiment=settings.experiment_from({"env": _plain(self._asked.env)}))
        try:
            host = self._open_host("process", request)
            host.start()
        except Exception as error:  # any error of a host is shown; the window goes on
            self._fail(reason_of(error))
            return
        self._host = host
        self._began = self._timing.clock()
        self._timer.start()
        self.changed.emit()

    def cancel(self) -> None:
        """Stop trying; the draft stays as it is."""
        if self.trying:
            self._drop()
            self.changed.emit()

    def _shown(self) -> _Shown:
        draft = self._session.draft
        env = {path: draft.value(path) for path in (f"env.{name}" for name in EnvConfig.__struct_fields__)}
        return _Shown(draft.experiment, draft.problem, env, {path: draft.value(path) for path in KEPT})

    def _question(self, shown: _Shown) -> _Question:
        """What to try now. Raises ConfigError if the settings of the environment, or those to keep, do not fit."""
        default_agent, given = settings.experiment_from({}), shown.env
        settings.with_settings(default_agent, shown.kept)
        left: dict[str, Any] = {}
        if self.offered:
            default, old = _plain(EnvConfig()), _plain(self._origin)
            same = [path for path in given if _plain(given[path]) == old[path.removeprefix("env.")]]
            left = {path: default[path.removeprefix("env.")] for path in same}
        labels = tuple(settings.field_at(path).label.lower() for path in left if _plain(given[path]) != left[path])
        env = settings.with_settings(default_agent, given | left, check=False).env
        return _Question(settings.checked_env(env), labels, "" if self.offered else shown.experiment.title)

    # -- the draft ---------------------------------------------------------------------------------

    @Slot()
    def _on_changed(self) -> None:
        self._follow()
        before = self._about
        if before is None:
            return
        now = self._shown()
        same = before == now
        if self.trying:  # the settings to keep may change meanwhile
            same = (before.problem, before.env) == (now.problem, now.env) and _same(before.experiment, now.experiment)
        if not (same and self.can_ask):
            self._drop()
            self.changed.emit()

    @Slot()
    def _on_cleared(self) -> None:
        if self._session.state is State.STORED:
            self._seen = self._session.draft.experiment
            self._origin = self._seen.env
        self.cancel()

    def _follow(self) -> None:
        """Note whether the draft still has the settings of the environment that they were made for."""
        before, now = self._seen, self._session.draft.experiment
        if now is before:
            return
        self._seen = now
        typed = (
            now.env.id != before.env.id
            and msgspec.structs.replace(now.env, id=before.env.id) == before.env
            and (now.title, now.net, now.learn) == (before.title, before.net, before.learn)
        )
        loaded = now.title != before.title or (now.env.id != before.env.id and not typed)
        if loaded or now.env.id == self._origin.id:
            self._origin = now.env

    # -- the process -------------------------------------------------------------------------------

    @Slot(float)
    def tick(self, now: float) -> None:
        """Take what the process found; `now`: seconds of the clock."""
        if self._host is None:
            return
        for event in self._host.drain():
            if isinstance(event, AgentSuited):
                self._take(event.experiment)
                return
            if isinstance(event, Failed):
                self._fail(event.text)
                return
        if now - self._began > PATIENCE_S and self._asked is not None:
            self._fail(say("suited.slow", env=self._asked.env.id, seconds=PATIENCE_S))

    def _take(self, found: Experiment) -> None:
        asked, shown = self._asked, self._shown()
        self._drop()
        assert asked is not None
        self._about = shown
        try:
            found = settings.with_settings(found, shown.kept | {"title": asked.title})
        except ConfigError as error:
            self._fail(error.text)
            return
        self._notice = _notice(found, asked.left_out, self._origin.id)
        self._found = self._seen = found
        self._origin = found.env
        self._about = None
        self._session.load(found)
        self.changed.emit()

    def _fail(self, problem: Text | str) -> None:
        about = self._about
        self._drop()
        self.problem, self._about = problem, about
        self.changed.emit()

    def _drop(self) -> None:
        """Forget the question, its problem and its process."""
        self._timer.stop()
        self._about = self._asked = None
        self.problem = ""
        if self._host is not None:
            self._host.kill()
            self._killed = [host for host in (*self._killed, self._host) if not host.join(0)]
            self._host = None

    def stop(self) -> None:
        """End the process for good; it has nothing to save."""
        self._stopped = True
        self._drop()

    @property
    def alive(self) -> bool:
        """Whether a process has not ended yet."""
        return not all(host.join(0) for host in self._killed)

    def join(self) -> None:
        """Release the processes after they have ended (not `alive`)."""
        self._killed.clear()


def _same(one: Experiment, other: Experiment) -> bool:
    """Whether two experiments train the same, apart from the settings `KEPT` and what follows from them."""
    data = msgspec.to_builtins(other.run)
    kept = {path: data[path.removeprefix("run.")] for path in KEPT}
    return without_marks(settings.with_settings(one, kept, check=False)) == without_marks(other)


def _plain(value: Any) -> Any:
    """Plain data, with lists in place of tuples, as editors give them."""
    return settings.without_none(msgspec.to_builtins(value))


def _notice(experiment: Experiment, left_out: tuple[str, ...], former: str) -> Text:
    """What the agent follows from, which wrappers were added, and what was left out of the former environment."""
    task = experiment.task
    assert task is not None
    lengths = episode_lengths(task)
    tried = say("suited.tried", steps=task.steps, speed=task.steps_per_second, episodes=lengths)
    if task.added_wrappers:
        tried = say("suited.added", tried=tried, wrappers=task.added_wrappers)
    return say("suited.left_out", tried=tried, env=former, names=left_out) if left_out else tried
