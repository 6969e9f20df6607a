"""Producer ids, unique in the cluster: a block of 1,000 is taken from the registry, then handed out from memory.

Source: ZkProducerIdManager of Kafka, KIP-98. Ids of a block not used up when the broker stops are lost, as there.
"""

import logging

import trio

from broker.cluster.work import Job, Work
from broker.cluster.znodes import PRODUCER_ID_BLOCK, ProducerIdBlock
from broker.registry.contract import BadVersion, ConnectionLost, NodeExists, NoNode, Registry
from kproto.errors import ApiError, ErrorCode

log = logging.getLogger("barnabas.cluster")

MAX_ID = 2**63 - 1
TAKING_MS = 30_000
BLOCK = "block"
RETRY_S = 0.3


class ProducerIds:
    """The ids of broker `broker_id`."""

    def __init__(self, registry: Registry, work: Work, *, broker_id: int) -> None:
        self._registry = registry
        self._work = work
        self._broker_id = broker_id
        self._left = iter(range(0))
        self._job: Job[ProducerIdBlock] | None = None

    def next(self) -> int | None:
        """A fresh id; None: the block is used up, so wait for `refill` and ask again."""
        return next(self._left, None)

    def refill(self) -> Job[ProducerIdBlock]:
        """Take the next block; all who ask meanwhile share one attempt. Its one row is named BLOCK."""
        if self._job is None or self._job.done:
            job: Job[ProducerIdBlock] = Job()

            async def do() -> None:
                block = job.rows[BLOCK] = await self._take()
                self._left = iter(range(block.start, block.end + 1))

            self._job = self._work.begin(job, do, within_ms=TAKING_MS)
        return self._job

    async def _take(self) -> ProducerIdBlock:
        """Write our block behind the last one, on condition that nobody else did.

        Raises: ApiError: UNKNOWN_SERVER_ERROR: all ids are used up.
        """
        mine: ProducerIdBlock | None = None
        while True:
            try:
                data, stat = await self._registry.get(PRODUCER_ID_BLOCK)
                last = ProducerIdBlock.decode(data)
                if last is not None and last == mine:
                    return last  # the answer to our write was lost
                mine = ProducerIdBlock.first_for(self._broker_id) if last is None else last.next_for(self._broker_id)
                if mine.end > MAX_ID:
                    raise ApiError(ErrorCode.UNKNOWN_SERVER_ERROR, "All producer ids are used up.")
                await self._registry.set(PRODUCER_ID_BLOCK, mine.encode(), stat.version)
            except NoNode:
                await self._make_node()
            except BadVersion:
                continue
            except ConnectionLost:
                await trio.sleep(RETRY_S)
            else:
                log.info("Producer ids %d to %d are ours", mine.start, mine.end)
                return mine

    async def _make_node(self) -> None:
        try:
            await self._registry.create(PRODUCER_ID_BLOCK)
        except NodeExists:
            return
