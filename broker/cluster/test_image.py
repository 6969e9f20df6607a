"""What an UpdateMetadata makes of the image."""

from uuid import UUID

import pytest

from broker.cluster.image import FULL, Image
from broker.purgatory import Waiter
from broker.transport.contract import Address
from kproto.errors import ApiError, ErrorCode
from kproto.messages.update_metadata import (
    UpdateMetadataBroker,
    UpdateMetadataEndpoint,
    UpdateMetadataPartitionState,
    UpdateMetadataRequest,
    UpdateMetadataTopicState,
)

A, B = UUID(int=1), UUID(int=2)


def told(name: str, id: UUID, *rows: tuple[int, int]) -> UpdateMetadataTopicState:
    """Rows are partition and leader."""
    states = [UpdateMetadataPartitionState(partition_index=i, leader=leader, replicas=[0]) for i, leader in rows]
    return UpdateMetadataTopicState(topic_name=name, topic_id=id, partition_states=states)


def update(*topics: UpdateMetadataTopicState, type: int = 1) -> UpdateMetadataRequest:
    return UpdateMetadataRequest(topic_states=list(topics), type=type)


def leaders(image: Image, name: str) -> list[int]:
    return [each.leader for each in image.topics[name].partitions]


def test_rows_are_merged_into_what_is_known() -> None:
    image = Image("c")
    image.update(update(told("t", A, (0, 7), (1, 8))))
    image.update(update(told("t", A, (1, 9)), told("u", B, (0, 1))))
    assert (leaders(image, "t"), leaders(image, "u")) == ([7, 9], [1])
    assert image.topics_by_id == {A: image.topics["t"], B: image.topics["u"]}


def test_who_holds_a_topics_image_sees_one_moment() -> None:
    image = Image("c")
    image.update(update(told("t", A, (0, 7))))
    held = image.topics["t"]
    image.update(update(told("t", A, (0, 8))))
    assert (held.partitions[0].leader, image.topics["t"].partitions[0].leader) == (7, 8)


def test_a_topic_is_gone_with_its_last_partition() -> None:
    image = Image("c")
    image.update(update(told("t", A, (0, 7), (1, 7))))
    image.update(update(told("t", A, (0, -2))))
    assert [each.replicas for each in image.topics["t"].partitions] == [[], [0]]
    image.update(update(told("t", A, (1, -2))))
    assert (image.topics, image.topics_by_id) == ({}, {})


def test_a_topic_with_another_id_takes_nothing_over_from_its_namesake() -> None:
    image = Image("c")
    image.update(update(told("t", A, (0, 7), (1, 7))))
    image.update(update(told("t", B, (0, 8))))
    assert leaders(image, "t") == [8]
    assert list(image.topics_by_id) == [B]


def test_a_full_update_ends_topics_that_it_does_not_name() -> None:
    image = Image("c")
    image.update(update(told("t", A, (0, 7)), told("u", B, (0, 7))))
    image.update(update(told("u", B, (0, 7)), type=FULL))
    assert (list(image.topics), list(image.topics_by_id)) == (["u"], [B])


def test_brokers_are_those_named_last() -> None:
    image = Image("c")
    endpoint = UpdateMetadataEndpoint(host="h", port=5, listener="L")
    image.update(UpdateMetadataRequest(live_brokers=[UpdateMetadataBroker(id=3, endpoints=[endpoint], rack="r")]))
    assert (image.brokers[3].endpoints, image.brokers[3].rack) == ({"L": Address("h", 5)}, "r")
    image.update(update())
    assert image.brokers == {}


def test_each_change_counts_and_wakes() -> None:
    image, waiter = Image("c"), Waiter()
    waiter.watch([image.changed])
    image.update(update())
    assert (waiter.woken, image.version) == (True, 1)


def test_only_the_newest_controller_and_our_present_life_are_heard() -> None:
    image = Image("c")
    image.registered(50)
    image.admit(3, 50)
    image.admit(3, -1)
    for controller_epoch, broker_epoch, code in (
        (2, 50, ErrorCode.STALE_CONTROLLER_EPOCH),
        (3, 49, ErrorCode.STALE_BROKER_EPOCH),
    ):
        with pytest.raises(ApiError) as no:
            image.admit(controller_epoch, broker_epoch)
        assert no.value.code == code
