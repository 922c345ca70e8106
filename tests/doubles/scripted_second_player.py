"""A second player that is a script: what was changed shows in what its agent does and values."""

from __future__ import annotations

import msgspec
import numpy as np

from dqngui import messages as m
from tests.doubles.scripted_player import ScriptedPlayer

READY = msgspec.structs.replace(ScriptedPlayer.ready, held=("memory/hidden",))


class ScriptedSecondPlayer(ScriptedPlayer):
    """As `ScriptedPlayer`; from the first changed step on values are 1 higher and actions are the other ones.

    A forced action is done, and changes nothing else.
    """

    made: list[ScriptedSecondPlayer] = []
    ready = READY

    def __init__(self, kind: str, request: m.Request) -> None:
        super().__init__(kind, request)
        ScriptedPlayer.opened.remove(self)
        ScriptedSecondPlayer.made.append(self)
        self.interventions: tuple[m.Intervention, ...] = ()

    def send(self, command: m.Command) -> None:
        if isinstance(command, m.BeginEpisode):
            self.interventions = command.interventions
        super().send(command)

    def played(self, first: int, until: int) -> m.Played:
        told = super().played(first, until)
        t = np.arange(first, until)
        for change in self.interventions:
            hit = (t >= change.first) & (t <= (change.last if change.last is not None else until))
            if change.target == "action":
                told.tensors["action"][hit] = int(change.value)
            else:
                told.tensors["q"][t >= change.first] += np.float32(1)
                told.tensors["action"][t >= change.first] ^= 1
        return told
