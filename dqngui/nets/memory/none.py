"""No memory: the output is the input."""

from __future__ import annotations

from torch import Tensor

from dqngui.nets.memory.contract import Memory, State
from dqngui.nets.record import Record
from dqngui.schema import Options


class NoMemory(Memory):
    """A memory that remembers nothing: the control for every claim about memory."""

    context = 0

    def __init__(self, *, width: int, options: Options) -> None:
        super().__init__()
        self.width = width

    def initial_state(self, batch: int) -> State:
        return ()

    def forward(self, x: Tensor, state: State | None, record: Record | None = None) -> tuple[Tensor, State]:
        return x, ()
