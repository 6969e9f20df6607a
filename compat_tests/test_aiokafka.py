"""aiokafka: a pure Python client of its own making, on asyncio."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from compat_tests.broker_process import BrokerProcess


@pytest.mark.parametrize("codec", [None, "gzip", "lz4"], ids=str)
def test_lines_come_back_through_a_group(broker: BrokerProcess, topic: str, codec: str | None) -> None:
    """Produce with idempotence, read in a group, commit."""

    async def there_and_back() -> tuple[list[bytes], int | None]:
        producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, enable_idempotence=True, compression_type=codec)
        await producer.start()
        for n in range(300):
            await producer.send(topic, f"line {n}".encode())
        await producer.stop()
        consumer = AIOKafkaConsumer(
            topic,
            bootstrap_servers=broker.bootstrap,
            group_id=topic,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        await consumer.start()
        lines = [(await consumer.getone()).value for _ in range(300)]
        await consumer.commit()
        committed = await consumer.committed(TopicPartition(topic, 0))
        await consumer.stop()
        return lines, committed

    lines, committed = asyncio.run(asyncio.wait_for(there_and_back(), 30))
    assert lines == [f"line {n}".encode() for n in range(300)]
    assert committed == 300
