"""Tries the task of the draft, and suits the agent to it: the default agent, as `dqngui train --env ID` finds it."""

from __future__ import annotations

from contextlib import suppress
from functools import cache, partial
from typing import Any, NamedTuple

import msgspec
from PySide6.QtCore import QObject, Signal, Slot

from dqngui import presets, settings
from dqngui.config import ConfigError, EnvConfig, Experiment, TaskFacts
from dqngui.derivation import awaits_task, without_marks
from dqngui.hosts import Host, OpenHost, open_host
from dqngui.jobs.settings_from_task import episode_lengths
from dqngui.lab.background.timing import TickTimer, Timing
from dqngui.lab.session.draft import KEPT, started_anew
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import Action, State
from dqngui.messages import AgentSuited, Failed, Request
from dqngui.settings import same_task
from dqngui.texts import Text, reason_of, say

TICK_MS = 40
PATIENCE_S = 60
"""Seconds after which an environment that does not answer is given up. Measuring takes at most ten seconds, making an
environment seldom more than ten.
"""


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


class SuitedAgent(QObject):
    """Tries the draft's task in a process of its own, and loads what was found into the draft.

    It tries a task for one of two reasons. A person asks for the agent that suits it (`ask`): then the default agent
    replaces that of the draft, and the result is dropped if the draft is edited meanwhile (except for the settings of
    `KEPT`). Or another environment was chosen, or one that nobody knows shall be trained (`begin`): then the draft
    keeps what was set, and only the settings that wait for the task are derived. A start waits for the result, which
    is dropped if the environment is edited or if another run is opened. The process is killed when it is not needed
    any more, so no environment can keep the window from going on or from closing.

    Attributes:
        problem: why the task cannot be tried; "" if it can, and after the next change of the draft.

    Signals:
        changed: `trying`, `seconds`, `problem`, `notice` or `offered` changed.
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
        self._origin = self._seen.env  # the environment that the draft's agent was made for
        self._known = [self._seen.env] if self._seen.task is not None else []  # environments that worked
        self._about: _Shown | None = None  # what is being tried, or what `problem` is about
        self._keeps_agent = False  # the present question replaces no settings that were set
        self._found: Experiment | None = None
        self._notice: Text | str = ""
        self._host: Host | None = None
        self._began = self._told = 0.0
        self._killed: list[Host] = []
        self._stopped = False
        self._timer = TickTimer(TICK_MS, self._timing, parent=self)
        self._timer.ticked.connect(self.tick)
        session.waiting.check = self
        session.changed.connect(self._on_changed)
        session.cleared.connect(self._on_cleared)

    # -- what the window shows ---------------------------------------------------------------------

    @property
    def trying(self) -> bool:
        """Whether the task is being tried."""
        return self._host is not None

    @property
    def seconds(self) -> float:
        """Seconds since the present trial began; 0 without one."""
        return self._timing.clock() - self._began if self.trying else 0.0

    @property
    def fits(self) -> bool:
        """Whether the draft has the agent that was found for its task."""
        return self._found is not None and same_agent(self._found, self._session.draft.experiment)

    @property
    def notice(self) -> Text | str:
        """What was found when the draft's task was tried; "" for another task."""
        found = self._found
        return self._notice if found is not None and found.task == self._session.draft.experiment.task else ""

    @property
    def offered(self) -> bool:
        """Whether another environment's id was set and the agent is still that of the former one."""
        return self._session.draft.value("env.id") != self._origin.id

    @property
    def can_ask(self) -> bool:
        """Whether the draft may be edited, and no start waits for torch: the run that starts has its settings."""
        return not self._stopped and not self._session.loading and Action.EDIT in self._session.allowed

    def passed(self, experiment: Experiment) -> bool:
        """Whether its environment is known to work (it was tried, it has trained, or it is shipped), and no setting
        waits for it to be measured.
        """
        if experiment.task is not None:
            return True
        known = any(same_task(experiment.env, each) for each in (*self._known, *_shipped()))
        return known and not awaits_task(experiment)

    # -- actions -----------------------------------------------------------------------------------

    def ask(self) -> None:
        """Try the draft's task, then load the agent that suits it. A wrong setting of the environment becomes the
        `problem`.
        """
        if self.can_ask:
            self._try(keeps_agent=False)

    def choose(self, env_id: str) -> None:
        """Start from clean settings in an environment, even in that of the draft; before a run it is tried at once."""
        session = self._session
        self.cancel()
        anew = session.state is State.READY
        session.change_draft(partial(session.draft.choose_environment, env_id, new_agent=anew))

    def begin(self) -> None:
        """Try the draft's task, if it is not being tried; the agent of the draft stays."""
        if not self.trying:
            self._try(keeps_agent=True)

    def _try(self, *, keeps_agent: bool) -> None:
        self._drop()
        self._about, self._keeps_agent = self._shown(), keeps_agent
        try:
            env = self._env_to_try(self._about)
        except ConfigError as error:
            self._fail(error.text)
            return
        if self._session.trust.blocks(env):
            self._fail(self._session.trust.problem or say("trust.tried_later"))
            return
        request = Request(job="suit", experiment=settings.experiment_from({"env": _plain(env)}))
        try:
            host = self._open_host("process", request)
            host.start()
        except Exception as error:  # any error of a host is shown; the window goes on
            self._fail(reason_of(error))
            return
        self._host = host
        self._began = self._told = self._timing.clock()
        self._timer.start()
        self.changed.emit()

    def cancel(self) -> None:
        """Stop trying; the draft stays as it is, and a start that waits is dropped."""
        if self.trying:
            self._drop()
            self.changed.emit()
            self._answer(works=False)

    def _answer(self, *, works: bool) -> None:
        if self._session.waiting.for_task is not None:
            self._session.do_waiting(ready=works)

    def _shown(self) -> _Shown:
        draft = self._session.draft
        env = {path: draft.value(path) for path in (f"env.{name}" for name in EnvConfig.__struct_fields__)}
        return _Shown(draft.experiment, draft.problem, env, {path: draft.value(path) for path in KEPT})

    @staticmethod
    def _env_to_try(shown: _Shown) -> EnvConfig:
        """Raises ConfigError if the settings of the environment, or those to keep, do not fit."""
        default_agent = settings.experiment_from({})
        settings.with_settings(default_agent, shown.kept)
        return settings.checked_env(settings.with_settings(default_agent, shown.env, check=False).env)

    # -- the draft ---------------------------------------------------------------------------------

    @Slot()
    def _on_changed(self) -> None:
        chosen = self._follow()
        before = self._about
        if before is not None:
            now = self._shown()
            same = before == now
            if self.trying and self._keeps_agent:
                same = before.env == now.env
            elif self.trying:  # the settings to keep may change meanwhile
                same = (before.problem, before.env) == (now.problem, now.env)
                same = same and _same(before.experiment, now.experiment)
            if not (same and (self.can_ask or self._session.waiting.for_task is not None)):
                self._drop()
                self.changed.emit()
                self._answer(works=False)
        if chosen:
            self._try(keeps_agent=True)

    @Slot()
    def _on_cleared(self) -> None:
        if self._session.state is State.STORED:
            self._seen = self._session.draft.experiment
            self._origin = self._seen.env
            self._known.append(self._origin)
        self.cancel()

    def _follow(self) -> bool:
        """Note for which environment the draft's agent was made; returns whether another one, which nobody knows, was
        chosen before a run.
        """
        before, now = self._seen, self._session.draft.experiment
        if now is before:
            return False
        self._seen = now
        other = now.env.id != before.env.id
        anew = now == started_anew(before, now.env.id, new_agent=True)
        typed = anew or (other and now == started_anew(before, now.env.id, new_agent=False))
        loaded = now.title != before.title or other
        if now.env.id == self._origin.id or (loaded and not typed):
            self._origin = now.env
        return anew and self.can_ask and self._session.state is State.READY and not self.passed(now)

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
        if now - self._told >= 1:
            self._told = now
            self.changed.emit()  # `seconds`
        if now - self._began > PATIENCE_S and self._about is not None:
            self._fail(say("suited.slow", env=self._about.experiment.env.id, seconds=PATIENCE_S))

    def _take(self, found: Experiment) -> None:
        session, shown = self._session, self._shown()
        keeps_agent = self._keeps_agent
        self._drop()
        self._about = shown
        try:
            suited = settings.with_settings(found, shown.kept | {"title": shown.experiment.title})
        except ConfigError as error:
            self._fail(error.text)
            return
        task = suited.task
        assert task is not None
        self._notice, self._found = _notice(task), suited
        self._known.append(suited.env)
        if not keeps_agent:
            self._seen, self._origin = suited, suited.env
        self._about = None
        if keeps_agent:
            session.change_draft(partial(session.draft.take_task, found.env, task))
            self._seen = session.draft.experiment
        else:
            session.load(suited)
        if self.fits:
            self._origin = suited.env
        self.changed.emit()
        self._answer(works=True)

    def _fail(self, problem: Text | str) -> None:
        about = self._about
        self._drop()
        self.problem, self._about = problem, about
        self.changed.emit()
        if self._session.waiting.for_task is not None:
            self._session.show_message(say("session.not_started", problem=problem))
        self._answer(works=False)

    def _drop(self) -> None:
        """Forget the question, its problem and its process."""
        self._timer.stop()
        self._about = None
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


def same_agent(one: Experiment, other: Experiment) -> bool:
    """Whether two experiments with the same task have the same network and learning, apart from what follows there from
    other settings, such as a schedule from the total steps.
    """
    if not same_task(one.env, other.env):
        return False
    data = settings.as_data(other)
    parts = {"env": other.env, "run": other.run}
    changes = {
        f"{section}.{name}": data[section].get(name)
        for section, part in parts.items()
        for name in part.__struct_fields__
    }
    moved = settings.with_settings(msgspec.structs.replace(one, task=other.task), changes, check=False)
    return (moved.net, moved.learn) == (other.net, other.learn)


def _same(one: Experiment, other: Experiment) -> bool:
    """Whether two experiments train the same, apart from the settings `KEPT` and what follows from them."""
    data = msgspec.to_builtins(other.run)
    kept = {path: data[path.removeprefix("run.")] for path in KEPT}
    return without_marks(settings.with_settings(one, kept, check=False)) == without_marks(other)


def _plain(value: Any) -> Any:
    """Plain data, with lists in place of tuples, as editors give them."""
    return settings.without_none(msgspec.to_builtins(value))


def _notice(task: TaskFacts) -> Text:
    """What was found when a task was tried, and which wrappers were added."""
    lengths = episode_lengths(task)
    tried = say("suited.tried", steps=task.steps, speed=task.steps_per_second, episodes=lengths)
    return say("suited.added", tried=tried, wrappers=task.added_wrappers) if task.added_wrappers else tried


@cache
def _shipped() -> tuple[EnvConfig, ...]:
    """The environments of the shipped experiments."""
    found = []
    for name in presets.preset_names():
        with suppress(ConfigError):  # the form says which one is broken
            found.append(presets.read_experiment(name).env)
    return tuple(found)
