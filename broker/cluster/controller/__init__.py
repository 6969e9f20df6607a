"""The controller: decides who leads which partition, and tells the brokers. A pure machine.

What lives here: events (what was read from the registry, what a write or a request came to), effects (fenced
multis, reads, requests to brokers, timers), the controller's picture of the cluster, elections, deletions.
Who calls it: `controller_runtime.py`, one event after the other, executing the effects in order.
What it never does: wait, read a clock, roll dice, touch the registry; time, fresh ids and what
is there come with the events.
"""

from broker.cluster.controller.events import (
    Answered,
    BrokersListed,
    DeletesListed,
    Effect,
    Elected,
    ElectionAsked,
    Event,
    ForgetBroker,
    LiveBroker,
    LogDirFailed,
    ReadTopics,
    Removed,
    RemoveTrees,
    Request,
    Send,
    SetTimer,
    TimerFired,
    TopicRead,
    TopicsListed,
    TopicsRead,
    Write,
    WriteFailed,
    Written,
)
from broker.cluster.controller.machine import Controller

__all__ = [
    "Answered",
    "BrokersListed",
    "Controller",
    "DeletesListed",
    "Effect",
    "Elected",
    "ElectionAsked",
    "Event",
    "ForgetBroker",
    "LiveBroker",
    "LogDirFailed",
    "ReadTopics",
    "RemoveTrees",
    "Removed",
    "Request",
    "Send",
    "SetTimer",
    "TimerFired",
    "TopicRead",
    "TopicsListed",
    "TopicsRead",
    "Write",
    "WriteFailed",
    "Written",
]
