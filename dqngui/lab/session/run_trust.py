"""The question whether the user trusts the stored run that was opened: until then nothing that it names is imported."""

from __future__ import annotations

from pathlib import Path

from dqngui.config import ConfigError, EnvConfig
from dqngui.lab.session.rules import NEEDS_TASK, NEEDS_TORCH
from dqngui.lab.session.states import Action, State
from dqngui.runs.trust import foreign_code, shown, trust, untrusted_names
from dqngui.texts import Text, say

_MAKES_ENVIRONMENT = NEEDS_TORCH | NEEDS_TASK


class RunTrust:
    """The code that the settings of the last opened run name, and whether it may be imported.

    The settings stay in the draft when the run is closed, so the question stays too.

    Attributes:
        waits: the user has to trust the run before its environment is made.
        problem: why its code is never imported; empty if it may be.
    """

    def __init__(self) -> None:
        self.waits = False
        self.problem: Text | str = ""
        self._folder: Path | None = None
        self._code: frozenset[str] = frozenset()
        self._names: tuple[str, ...] = ()

    def open(self, folder: Path, env: EnvConfig) -> None:
        """Note that a stored run was opened."""
        self._folder, self._code, self._names, self.problem = folder, frozenset(), (), ""
        try:
            self._names = untrusted_names(folder, env)
            self._code = frozenset(foreign_code(env))
        except ConfigError as error:
            self.problem = error.text
            self._code = frozenset({env.id})
        self.waits = bool(self._names or self.problem)

    def see(self, env: EnvConfig) -> None:
        """Note the settings that the log of the open run tells, which nobody has trusted if they name other code."""
        try:
            more = [name for name in foreign_code(env) if name not in self._code]
        except ConfigError as error:
            self.problem, more = error.text, [env.id]
        if more:
            self.waits = True
            self._code |= frozenset(more)
            self._names = (*self._names, *shown(tuple(more)))

    def blocks(self, env: EnvConfig) -> bool:
        """Whether this environment must not be made, because it needs code of the run that is not trusted."""
        if not self.waits:
            return False
        try:
            return bool(self._code & {env.id, *foreign_code(env)})
        except ConfigError:
            return True

    def accept(self) -> Text | str:
        """Trust the run; what is wrong if its folder is gone."""
        if self._folder is not None and self.waits and not self.problem:
            try:
                trust(self._folder)
            except ConfigError as error:
                return error.text
            self.waits = False
        return ""

    def limited(self, actions: frozenset[Action], state: State, env: EnvConfig) -> frozenset[Action]:
        """The actions that are allowed as long as the question is open; `env`: of the draft."""
        question = self.question(state, env)
        if not question or self.problem:
            actions -= {Action.TRUST}
        if state is State.STORED and question:
            actions -= {Action.RESUME_RUN, Action.TRAIN_ON}
        return actions - _MAKES_ENVIRONMENT if self.blocks(env) else actions

    def why_no_agent(self, state: State) -> Text | str:
        """Why the agent of the open run does not play, in few words, beside the question; empty if it may."""
        if state is not State.STORED or not self.waits:
            return ""
        return say("trust.never_plays" if self.problem else "trust.plays_later")

    def question(self, state: State, env: EnvConfig) -> Text | str:
        """What to ask the user, or why the code is never imported; empty if nothing waits for it."""
        if not self.waits or not (state is State.STORED or self.blocks(env)):
            return ""
        return self.problem or say("trust.question", names=self._names)
