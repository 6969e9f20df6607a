"""What a request waits for when it has asked a coordinator."""

from typing import Generic, TypeVar

from broker.purgatory import Waiter

T = TypeVar("T")


class Answer(Waiter, Generic[T]):
    """Woken with a value. Nobody minds if the one who asked is gone by then."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        super().__init__()
        self.value: T | None = None

    def give(self, value: T) -> None:
        """The first value stands."""
        if not self.woken:
            self.value = value
            self.wake()
