"""The main job on real input: the standard library's source, in by two clients and five codecs, out by three members.

One member of the group is killed with SIGKILL halfway, and in half of the tests the broker too, during the produce.
The full dose is the marker `campaign`: `pytest -m campaign compat_tests/test_real_input.py`; with
`--full` the broker is killed under every producer and codec.
"""

import time
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from compat_tests import real_text
from compat_tests.broker_process import BrokerProcess
from compat_tests.member_processes import GroupOfProcesses, MemberProcess, Place
from compat_tests.producing import CODECS, Killer, produce
from compat_tests.real_text import Line

PARTITIONS = 6
FULL_DOSE = 200_000
PRODUCERS = ["kafka-python", "confluent-kafka"]
WAYS = [(client, codec) for client in PRODUCERS for codec in CODECS]


def create_topics(broker: BrokerProcess, names: list[str]) -> set[Place]:
    """Returns: their partitions."""
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    for made in admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names]).values():
        made.result(10)
    return {(name, partition) for name in names for partition in range(PARTITIONS)}


def ends(broker: BrokerProcess, places: set[Place]) -> dict[Place, int]:
    """The high watermark of each partition."""
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "no-member"})
    found = {place: consumer.get_watermark_offsets(TopicPartition(*place), timeout=10)[1] for place in places}
    consumer.close()
    return found


def committed(broker: BrokerProcess, group: str, places: set[Place]) -> dict[Place, int]:
    """What the group has committed, -1001 where nothing."""
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": group})
    found = consumer.committed([TopicPartition(*place) for place in places], timeout=10)
    consumer.close()
    return {(place.topic, place.partition): place.offset for place in found}


def three_members(group: GroupOfProcesses, places: set[Place], hold_after: int) -> MemberProcess:
    """Start them, and wait until they share all partitions. Returns: the one that will hold halfway, to be killed."""
    victim = group.add("--hold-after", str(hold_after))
    group.add()
    group.add()
    group.wait_until("three members share the partitions", lambda: group.share(places))
    return victim


def kill_halfway(group: GroupOfProcesses, victim: MemberProcess) -> None:
    group.wait_until("a member holds what it has not committed", lambda: victim.is_holding, 120)
    victim.kill()
    victim.look()


def everything_arrives(
    broker: BrokerProcess, group: GroupOfProcesses, victim: MemberProcess, sent: dict[str, list[Line]]
) -> int:
    """Judge what the members consumed. Args: sent: the lines of each topic. Returns: how many records came twice."""
    places = {(topic, partition) for topic in sent for partition in range(PARTITIONS)}
    end = ends(broker, places)
    expected = sum(end.values())
    group.wait_until("all is consumed", lambda: len(offsets_seen(group)) >= expected, 120)
    survivors = [member for member in group.members if member is not victim]
    assert [member.stop() for member in survivors] == [0, 0], group.say()
    assert not any(member.was_lost for member in survivors), group.say()
    for topic, lines in sent.items():
        assert by_key_in_offset_order(group, topic) == real_text.by_key(lines)
    assert {place: at for place, at in committed(broker, group.name, places).items() if at >= 0} == {
        place: at for place, at in end.items() if at > 0
    }
    repeats = seen_twice(group)
    assert repeats == victim.uncommitted(), "repeated is what the killed member had not committed, and only that"
    assert repeats
    for member in group.members:
        assert each_partition_goes_up(member)
    return len(repeats)


def offsets_seen(group: GroupOfProcesses) -> set[tuple[Place, int]]:
    return {(place, offset) for member in group.members for place, offset, _, _ in member.records}


def seen_twice(group: GroupOfProcesses) -> set[tuple[Place, int]]:
    """Raises: AssertionError if something came three times."""
    times: dict[tuple[Place, int], int] = {}
    for member in group.members:
        for place, offset, _, _ in member.records:
            times[place, offset] = times.get((place, offset), 0) + 1
    assert max(times.values()) <= 2
    return {at for at, count in times.items() if count == 2}


def by_key_in_offset_order(group: GroupOfProcesses, topic: str) -> dict[bytes, list[bytes]]:
    """The values of each key as the log has them; of a record seen twice, the two are the same."""
    log: dict[tuple[int, int], Line] = {}
    for member in group.members:
        for (name, partition), offset, key, value in member.records:
            if name == topic:
                assert log.setdefault((partition, offset), (key, value)) == (key, value)
    return real_text.by_key([log[at] for at in sorted(log)])


def each_partition_goes_up(member: MemberProcess) -> bool:
    """One member never goes back in a partition."""
    last: dict[Place, int] = {}
    for place, offset, _, _ in member.records:
        if offset <= last.get(place, -1):
            return False
        last[place] = offset
    return True


def share_of(lines: int) -> int:
    """Half of what one of three members has to expect."""
    return lines // 6


@pytest.mark.parametrize(
    ("members", "kills"), [("confluent-kafka", 1), pytest.param("kafka-python", 2, marks=pytest.mark.campaign)]
)
def test_small_dose_of_every_producer_and_codec(
    own_broker: BrokerProcess, tmp_path: Path, members: str, kills: int
) -> None:
    """Ten topics, one group; the broker is killed meanwhile, and the group lives on through it."""
    sent = {f"{client}-{codec}": real_text.lines(500, per_file=10) for client, codec in WAYS}
    places = create_topics(own_broker, list(sent))
    with GroupOfProcesses(tmp_path, members, own_broker.bootstrap, "g", list(sent)) as group:
        victim = three_members(group, places, share_of(5_000))
        killer = Killer(own_broker, 5_000, kills)
        for n, (client, codec) in enumerate(WAYS):
            topic = f"{client}-{codec}"
            gate = partial(killer.after, 500 * n)
            assert produce(client, own_broker.bootstrap, topic, sent[topic], codec, gate) == 500
        killer.wait()
        kill_halfway(group, victim)
        everything_arrives(own_broker, group, victim, sent)
    assert len(killer.ready_s) == kills


CAMPAIGN = [
    *((client, codec, "confluent-kafka", 0) for client, codec in WAYS),
    ("kafka-python", "none", "kafka-python", 0),
    ("kafka-python", "lz4", "confluent-kafka", 10),
    ("confluent-kafka", "zstd", "kafka-python", 10),
]
FULL = [*CAMPAIGN, *((*way, "confluent-kafka", 10) for way in WAYS if way != ("kafka-python", "lz4"))]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.function is test_full_dose:
        ways = FULL if metafunc.config.getoption("--full") else CAMPAIGN
        metafunc.parametrize(("client", "codec", "members", "kills"), ways)


@pytest.mark.campaign
def test_full_dose(
    own_broker: BrokerProcess,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    client: str,
    codec: str,
    members: str,
    kills: int,
) -> None:
    """200,000 lines, one member killed halfway, the broker killed ten times meanwhile or not at all."""
    sent = {"lines": real_text.lines(FULL_DOSE)}
    places = create_topics(own_broker, ["lines"])
    with GroupOfProcesses(tmp_path, members, own_broker.bootstrap, "g", ["lines"]) as group:
        victim = three_members(group, places, share_of(FULL_DOSE))
        killer = Killer(own_broker, FULL_DOSE, kills)
        began = time.monotonic()
        assert produce(client, own_broker.bootstrap, "lines", sent["lines"], codec, killer.at) == FULL_DOSE
        produced_s = time.monotonic() - began
        killer.wait()
        kill_halfway(group, victim)
        repeats = everything_arrives(own_broker, group, victim, sent)
        consumed_s = time.monotonic() - began
    assert len(killer.ready_s) == kills
    with capsys.disabled():
        ready = " ".join(f"{ready_s:.2f}" for ready_s in killer.ready_s)
        print(
            f"\n{client} {codec}, members {members}: {FULL_DOSE} lines, {PARTITIONS} partitions,"
            f" produced in {produced_s:.1f} s, all consumed after {consumed_s:.1f} s, {repeats} repeats,"
            f" {kills} kills, ready after {ready or '-'} s"
        )
