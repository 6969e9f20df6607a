"""Tells the controller that this broker lost replicas with a disk: one notice in the registry, as Kafka's brokers do.

The controller then asks for the state of every replica here, and has others lead those that are gone.
Source: LogDirFailureHandler, KafkaZkClient.propagateLogDirEvent of Kafka.
"""

import logging

import trio

from broker.cluster.znodes import LOG_DIR_EVENT_PREFIX, encode_log_dir_event
from broker.registry.contract import Registry, RegistryError

log = logging.getLogger("barnabas.cluster")

RETRY_S = 0.3
GATHER_S = 0.05
"""Replicas fail together: one notice for all of them."""


class LogDirNotices:
    """Of broker `broker_id`."""

    def __init__(self, registry: Registry, broker_id: int) -> None:
        self._registry = registry
        self._broker_id = broker_id
        self._wanted = trio.Event()

    def replica_lost(self) -> None:
        self._wanted.set()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Write notices until cancelled."""
        task_status.started()
        while True:
            await self._wanted.wait()
            await trio.sleep(GATHER_S)
            self._wanted = trio.Event()
            try:
                node = encode_log_dir_event(self._broker_id)
                await self._registry.create(LOG_DIR_EVENT_PREFIX, node, sequential=True)
            except RegistryError as error:
                log.warning("The controller cannot be told of the lost replicas now (%r); trying again", error)
                self._wanted.set()
                await trio.sleep(RETRY_S)
