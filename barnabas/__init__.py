"""Barnabas, a Kafka broker you can `pip install`.

This package is the door: the command, and what users may import. The rest of the program lies in `app/` beside it
(in a checkout: beside this directory), off everybody's path but the command's own, since users have a `broker` and
`tools` of their own.
"""

__version__ = "0.1.0"

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from barnabas.handle import Broker, BrokerFailed, TooLate, TopicRefused

__all__ = ["Broker", "BrokerFailed", "TooLate", "TopicRefused", "__version__"]


def __getattr__(name: str) -> Any:
    """The handle is imported when it is asked for: the command does without."""
    if name in __all__:
        from barnabas import handle

        return getattr(handle, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
