"""Known outputs are those of Kafka's AdminRackAwareTest, AdminTest and TopicCommandTest."""

import pytest

from broker.cluster.placement import place, rack_alternating
from kproto.errors import ApiError, ErrorCode

RACKS = {0: "rack1", 1: "rack3", 2: "rack3", 3: "rack2", 4: "rack2", 5: "rack1"}


def test_ten_partitions_on_five_brokers_are_those_of_kafka() -> None:
    brokers = dict.fromkeys(range(5))
    assert place(brokers, 10, 3, start_index=0, shift=0) == {
        0: [0, 1, 2],
        1: [1, 2, 3],
        2: [2, 3, 4],
        3: [3, 4, 0],
        4: [4, 0, 1],
        5: [0, 2, 3],
        6: [1, 3, 4],
        7: [2, 4, 0],
        8: [3, 0, 1],
        9: [4, 1, 2],
    }


def test_the_order_of_brokers_alternates_between_racks() -> None:
    racks = {0: "rack1", 1: "rack3", 2: "rack3", 3: "rack2", 4: "rack2", 5: "rack1"}
    assert rack_alternating(racks) == [0, 3, 1, 5, 4, 2]
    del racks[5]
    assert rack_alternating(racks) == [0, 3, 1, 4, 2]


def test_twelve_partitions_over_three_racks_spread_replicas_leaders_and_racks_evenly() -> None:
    assignment = place(RACKS, 12, 3, start_index=0, shift=0)
    held = [broker for replicas in assignment.values() for broker in replicas]
    led = [replicas[0] for replicas in assignment.values()]
    assert {held.count(broker) for broker in RACKS} == {6}
    assert {led.count(broker) for broker in RACKS} == {2}
    assert all(len({RACKS[broker] for broker in replicas}) == 3 for replicas in assignment.values())


def test_more_replicas_than_racks_use_every_rack_and_no_broker_twice() -> None:
    for replicas in place(RACKS, 12, 5, start_index=1, shift=4).values():
        assert len(set(replicas)) == 5
        assert len({RACKS[broker] for broker in replicas}) == 3


def test_with_a_broker_without_a_rack_no_rack_counts() -> None:
    assert place({0: "a", 1: "a", 2: None}, 1, 2, start_index=0, shift=0) == {0: [0, 1]}


def test_added_partitions_go_on_where_the_first_ones_ended() -> None:
    brokers = dict.fromkeys(range(5))
    whole = place(brokers, 8, 3, start_index=2, shift=2)
    grown = place(brokers, 3, 3, start_index=2, shift=2, first_partition=5)
    assert grown[5] == whole[5]
    assert list(grown) == [5, 6, 7]


def test_one_broker_takes_everything() -> None:
    assert place({7: None}, 3, 1, start_index=0, shift=0) == {0: [7], 1: [7], 2: [7]}


@pytest.mark.parametrize(
    ("partitions", "replication_factor", "code"),
    [
        (0, 1, ErrorCode.INVALID_PARTITIONS),
        (-3, 1, ErrorCode.INVALID_PARTITIONS),
        (1, 0, ErrorCode.INVALID_REPLICATION_FACTOR),
        (1, 3, ErrorCode.INVALID_REPLICATION_FACTOR),
    ],
)
def test_counts_that_cannot_be_are_refused(partitions: int, replication_factor: int, code: ErrorCode) -> None:
    with pytest.raises(ApiError) as no:
        place({0: None, 1: None}, partitions, replication_factor, start_index=0, shift=0)
    assert no.value.code == code
