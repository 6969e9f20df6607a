"""A broker that does not run for a while, as where a laptop sleeps or the processors are taken: SIGSTOP and SIGCONT.

One that sleeps for longer than its session with ZooKeeper is in test_zookeeper_mode.py.
"""

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from compat_tests.broker_process import BrokerProcess
from compat_tests.test_faulty_disk import generation_of
from compat_tests.test_kills import PARTITIONS, Load, assert_each_is_there_once, wait_for_acks

PAUSES = 8


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    properties = {"num.partitions": str(PARTITIONS), "offsets.topic.replication.factor": "1"}
    process = BrokerProcess(tmp_path, properties=properties).start()
    yield process
    process.stop()


@pytest.mark.campaign
def test_short_pauses_lose_nothing_and_end_no_membership(broker: BrokerProcess) -> None:
    """Each is shorter than the session of the group's member, and than the patience of the producers."""
    loads, chance = [Load(client, broker.bootstrap) for client in ("confluent", "kafka-python")], random.Random(1)
    with loads[0].running(), loads[1].running():
        wait_for_acks(loads)
        member = member_of(broker, loads[0].topic)
        generation = generation_of(member)
        for _ in range(PAUSES):
            os.kill(broker.pid, signal.SIGSTOP)
            time.sleep(chance.uniform(0.2, 2))
            os.kill(broker.pid, signal.SIGCONT)
            wait_for_acks(loads)
            assert member.poll(5_000)
    member.commit()
    place = TopicPartition(loads[0].topic, 0)
    assert member.committed(place) == member.position(place)
    assert generation_of(member) == generation
    member.close()
    for load in loads:
        assert_each_is_there_once(load, broker.bootstrap)


def member_of(broker: BrokerProcess, topic: str) -> Any:
    """The one member of a group, with something in its hands."""
    member = KafkaConsumer(
        topic,
        bootstrap_servers=broker.bootstrap,
        group_id="g",
        session_timeout_ms=10_000,
        heartbeat_interval_ms=500,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    assert any(member.poll(5_000) for _ in range(6))  # 3.0.12 forgets an assignment that comes between two polls
    return member
