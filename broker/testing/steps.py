"""Something happens to one task at its n-th step: a cancellation or an error, at any checkpoint that a test likes."""

from collections.abc import Callable

import trio


class AtStep(trio.abc.Instrument):
    """Strikes the task that serves the newest connection, once.

    A task makes a step whenever it goes on after a checkpoint; the first one counted is that which takes in the request
    that the test sends next.
    """

    def __init__(self) -> None:
        self.struck = False
        self._newest: trio.lowlevel.Task | None = None
        self._victim: trio.lowlevel.Task | None = None
        self._left = 0
        self._strike: Callable[[trio.lowlevel.Task], None] = lambda task: None

    def arm(self, step: int, strike: Callable[[trio.lowlevel.Task], None]) -> None:
        assert self._newest is not None, "nobody is connected"
        self._victim, self._left, self._strike, self.struck = self._newest, step, strike, False

    def disarm(self) -> bool:
        """Whether it has struck: else the request was done in fewer steps."""
        self._victim = None
        return self.struck

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        if task.name.endswith("Connections._serve"):
            self._newest = task

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if task is self._victim:
            self._left -= 1
            if self._left == 0:
                self.struck, self._victim = True, None
                self._strike(task)


def throws(error: BaseException) -> Callable[[trio.lowlevel.Task], None]:
    """The checkpoint itself raises this: as if memory, the system or our own code had failed right there."""

    def strike(task: trio.lowlevel.Task) -> None:
        task._next_send_fn, task._next_send = task.coro.throw, error

    return strike
