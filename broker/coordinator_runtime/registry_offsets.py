"""Offsets in the registry, where clients of Kafka 0.8.1 and the requests of version 0 keep them.

`/consumers/<group>/offsets/<topic>/<partition>`, a number in text. They never expire.
"""

import logging
from collections.abc import Iterable, Mapping

from broker.cluster.znodes.paths import offset_path
from broker.cluster.znodes.text import decode_number, encode_number
from broker.registry.contract import NodeExists, NoNode, Registry, RegistryError
from coordinator.groups.events import TopicPartition
from kproto.errors import ApiError, ErrorCode

log = logging.getLogger("barnabas.groups")


class RegistryOffsets:
    """The offsets of one group.

    Raises: ApiError: INVALID_GROUP_ID: the name cannot be that of a node.
    """

    def __init__(self, registry: Registry, group_id: str) -> None:
        if not group_id or group_id in (".", "..") or "/" in group_id or "\0" in group_id:
            raise ApiError(ErrorCode.INVALID_GROUP_ID)
        self._registry = registry
        self._group_id = group_id

    async def write(self, offsets: Mapping[TopicPartition, int]) -> bool | None:
        """One after another, as far as the registry answers; None if it does not."""
        try:
            for (topic, partition), offset in offsets.items():
                await self._write_one(offset_path(self._group_id, topic, partition), encode_number(offset))
        except RegistryError as failure:
            log.warning("Offsets of %s are not written to the registry: %r", self._group_id, failure)
            return None
        return True

    async def _write_one(self, path: str, data: bytes) -> None:
        try:
            await self._registry.set(path, data)
        except NoNode:
            try:
                await self._registry.create(path, data, parents=True)
            except NodeExists:  # somebody was faster
                await self._registry.set(path, data)

    async def read(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int] | None:
        """Those that are there and are numbers; None if the registry does not answer."""
        found = {}
        try:
            for topic, partition in partitions:
                offset = await self._read_one(offset_path(self._group_id, topic, partition))
                if offset is not None:
                    found[topic, partition] = offset
        except RegistryError as failure:
            log.warning("Offsets of %s are not read from the registry: %r", self._group_id, failure)
            return None
        return found

    async def _read_one(self, path: str) -> int | None:
        try:
            data, _ = await self._registry.get(path)
            return decode_number(data, path)
        except NoNode:
            return None
        except ValueError as wrong:
            log.warning("An offset in the registry is passed over: %s", wrong)
            return None
