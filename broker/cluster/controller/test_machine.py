"""Plays: an event, and the effects it must have, in order."""

from typing import Any
from uuid import UUID

from broker.cluster.controller import (
    Answered,
    BrokersListed,
    Controller,
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
from broker.cluster.znodes import BrokerNode, PartitionStateNode, TopicNode
from broker.registry.contract import BadVersion, Check, Create, Operation, SetData
from broker.transport.contract import Address
from kproto.errors import ErrorCode
from kproto.messages.leader_and_isr import (
    LeaderAndIsrPartitionError,
    LeaderAndIsrRequest,
    LeaderAndIsrResponse,
    LeaderAndIsrTopicError,
)
from kproto.messages.stop_replica import StopReplicaPartitionError, StopReplicaRequest, StopReplicaResponse
from kproto.messages.update_metadata import UpdateMetadataRequest

A, B, FRESH = UUID(int=0xA), UUID(int=0xB), UUID(int=0xF)
FENCE = Check("/controller_epoch", 7)


def broker(id: int, epoch: int = 100) -> LiveBroker:
    return LiveBroker(id, epoch + id, BrokerNode({"PLAINTEXT": Address("h", 9092 + id)}))


def topic(
    name: str,
    partitions: dict[int, list[int]],
    *,
    id: UUID | None = A,
    states: dict[int, tuple[PartitionStateNode, int] | None] | None = None,
    version: int = 0,
    czxid: int = 50,
) -> TopicRead:
    return TopicRead(name, czxid, version, TopicNode(id, partitions), states, FRESH)


def state(leader: int, leader_epoch: int, isr: list[int], controller_epoch: int = 3) -> PartitionStateNode:
    return PartitionStateNode(controller_epoch, leader, leader_epoch, isr)


def in_office(brokers: list[int], *topics: TopicRead, delete_topics: bool = True) -> Controller:
    """A controller of epoch 3 after its start, all writes of which succeeded."""
    controller = Controller(
        brokers[0] if brokers else 0, delete_topics=delete_topics, inter_broker_listener="PLAINTEXT"
    )
    play(controller, Elected(3, 7, [broker(each) for each in brokers], topics, []))
    return controller


def play(controller: Controller, event: Event) -> list[Effect]:
    """All effects of the event, and of the success of what it writes, in the order in which they are executed."""
    done: list[Effect] = []
    to_do = controller.handle(event)
    while to_do:
        effect = to_do.pop(0)
        done.append(effect)
        if isinstance(effect, Write):
            to_do = controller.handle(Written(effect.tag)) + to_do
    return done


def told(effects: list[Effect]) -> list[tuple[Any, ...]]:
    """What brokers hear, shortened: broker, request, and (topic, partition, leader, leader epoch, isr) per row."""
    short: list[tuple[Any, ...]] = []
    for effect in effects:
        if not isinstance(effect, Send):
            continue
        match effect.request:
            case LeaderAndIsrRequest() | UpdateMetadataRequest() as request:
                rows = [
                    (each.topic_name, row.partition_index, row.leader, row.leader_epoch, row.isr)
                    for each in request.topic_states
                    for row in each.partition_states
                ]
                short.append((effect.broker, type(request).__name__.removesuffix("Request"), *rows))
            case StopReplicaRequest() as request:
                stopped = [
                    (each.topic_name, row.partition_index, row.delete_partition)
                    for each in request.topic_states
                    for row in each.partition_states
                ]
                short.append((effect.broker, "StopReplica", *stopped))
    return short


def written(effects: list[Effect]) -> list[list[Operation]]:
    return [list(effect.operations) for effect in effects if isinstance(effect, Write)]


def removed(effects: list[Effect]) -> list[tuple[str, ...]]:
    return [tuple(effect.paths) for effect in effects if isinstance(effect, RemoveTrees)]


def test_the_first_controller_tells_its_only_broker_that_there_is_nothing() -> None:
    controller = Controller(0, delete_topics=True, inter_broker_listener="PLAINTEXT")
    effects = play(controller, Elected(1, 1, [broker(0)], [], []))
    assert told(effects) == [(0, "LeaderAndIsr"), (0, "UpdateMetadata")]
    metadata = effects[1]
    assert isinstance(metadata, Send)
    assert isinstance(metadata.request, UpdateMetadataRequest)
    assert [each.id for each in metadata.request.live_brokers] == [0]
    assert (metadata.request.broker_epoch, metadata.request.controller_epoch) == (100, 1)


def test_a_new_topic_gets_states_under_the_fence_before_any_broker_hears_of_it() -> None:
    controller = in_office([0])
    assert controller.handle(TopicsListed(["t"])) == [ReadTopics(("t",))]
    effects = play(controller, TopicsRead([topic("t", {0: [0], 1: [0]})]))
    first = PartitionStateNode(3, 0, 0, [0]).encode()
    assert written(effects) == [
        [
            FENCE,
            Create("/brokers/topics/t/partitions"),
            Create("/brokers/topics/t/partitions/0"),
            Create("/brokers/topics/t/partitions/0/state", first),
            Create("/brokers/topics/t/partitions/1"),
            Create("/brokers/topics/t/partitions/1/state", first),
        ]
    ]
    rows = [("t", 0, 0, 0, [0]), ("t", 1, 0, 0, [0])]
    assert told(effects) == [(0, "LeaderAndIsr", *rows), (0, "UpdateMetadata", *rows)]
    assert isinstance(effects[0], Write)


def test_a_topic_of_an_old_tool_gets_an_id_in_the_same_multi_as_its_states() -> None:
    controller = in_office([0])
    effects = play(controller, TopicsRead([topic("t", {0: [0]}, id=None, version=4)]))
    assert written(effects)[0][1] == SetData("/brokers/topics/t", TopicNode(FRESH, {0: [0]}).encode(), 4)
    asked = effects[1]
    assert isinstance(asked, Send)
    assert isinstance(asked.request, LeaderAndIsrRequest)
    assert asked.request.topic_states[0].topic_id == FRESH


def test_partitions_added_by_an_old_tool_get_leaders_and_the_topic_its_id_back() -> None:
    controller = in_office([0], topic("t", {0: [0]}))
    states = {0: (state(0, 0, [0]), 0)}
    effects = play(controller, TopicsRead([topic("t", {0: [0], 1: [0]}, id=None, version=1, states=dict(states))]))
    assert written(effects) == [
        [
            FENCE,
            SetData("/brokers/topics/t", TopicNode(A, {0: [0], 1: [0]}).encode(), 1),
            Create("/brokers/topics/t/partitions/1"),
            Create("/brokers/topics/t/partitions/1/state", state(0, 0, [0]).encode()),
        ]
    ]
    assert told(effects) == [(0, "LeaderAndIsr", ("t", 1, 0, 0, [0])), (0, "UpdateMetadata", ("t", 1, 0, 0, [0]))]


def test_our_own_write_of_the_topic_node_coming_back_changes_nothing() -> None:
    controller = in_office([0], topic("t", {0: [0]}))
    again = topic("t", {0: [0]}, version=1, states={0: (state(0, 0, [0]), 0)})
    assert controller.handle(TopicsRead([again])) == []


def test_a_copy_of_another_topics_node_gets_an_id_of_its_own() -> None:
    controller = in_office([0], topic("t", {0: [0]}))
    effects = play(controller, TopicsRead([topic("copy", {0: [0]}, id=A)]))
    assert written(effects)[0][1] == SetData("/brokers/topics/copy", TopicNode(FRESH, {0: [0]}).encode(), 0)


def test_after_a_restart_a_leader_that_is_alive_keeps_its_epoch() -> None:
    controller = Controller(0, delete_topics=True, inter_broker_listener="PLAINTEXT")
    there = topic("t", {0: [0]}, states={0: (state(0, 5, [0], controller_epoch=2), 9)})
    effects = play(controller, Elected(3, 7, [broker(0)], [there], []))
    assert written(effects) == []
    assert told(effects) == [(0, "LeaderAndIsr", ("t", 0, 0, 5, [0])), (0, "UpdateMetadata", ("t", 0, 0, 5, [0]))]


def test_after_a_restart_a_partition_without_a_leader_gets_one_with_the_next_epoch() -> None:
    controller = Controller(0, delete_topics=True, inter_broker_listener="PLAINTEXT")
    there = topic("t", {0: [0]}, states={0: (state(-1, 5, [0], controller_epoch=2), 9)})
    effects = play(controller, Elected(3, 7, [broker(0)], [there], []))
    assert written(effects) == [[FENCE, SetData("/brokers/topics/t/partitions/0/state", state(0, 6, [0]).encode(), 9)]]
    assert told(effects)[-1] == (0, "UpdateMetadata", ("t", 0, 0, 6, [0]))


def test_a_new_partition_with_no_replica_alive_waits_for_one() -> None:
    controller = in_office([0])
    assert written(play(controller, TopicsRead([topic("t", {0: [1, 2]})]))) == []
    effects = play(controller, BrokersListed([broker(0), broker(2)]))
    assert told(effects)[-2:] == [
        (0, "UpdateMetadata", ("t", 0, 2, 0, [2])),
        (2, "UpdateMetadata", ("t", 0, 2, 0, [2])),
    ]


def test_the_first_live_replica_in_sync_leads_when_the_leader_dies() -> None:
    controller = in_office([0, 1, 2], topic("t", {0: [1, 2, 0]}, states={0: (state(1, 4, [1, 0]), 6)}))
    effects = play(controller, BrokersListed([broker(0), broker(2)]))
    assert effects[0] == ForgetBroker(1)
    assert written(effects) == [[FENCE, SetData("/brokers/topics/t/partitions/0/state", state(0, 5, [0]).encode(), 6)]]
    row = ("t", 0, 0, 5, [0])
    assert told(effects)[-4:] == [
        (0, "LeaderAndIsr", row),
        (2, "LeaderAndIsr", row),
        (0, "UpdateMetadata", row),
        (2, "UpdateMetadata", row),
    ]


def test_a_new_leader_keeps_all_in_sync_that_are_alive() -> None:
    controller = in_office([0, 1, 2, 3], topic("t", {0: [1, 3, 2, 0]}, states={0: (state(1, 4, [1, 0, 2]), 6)}))
    effects = play(controller, BrokersListed([broker(0), broker(2), broker(3)]))
    assert told(effects)[-1] == (3, "UpdateMetadata", ("t", 0, 2, 5, [0, 2]))


def test_what_a_newer_controller_wrote_is_left_alone() -> None:
    controller = in_office([0], topic("t", {0: [0]}, states={0: (state(1, 4, [1, 0], controller_epoch=4), 6)}))
    assert written(play(controller, BrokersListed([broker(0, epoch=200)]))) == []


def test_nobody_leads_when_all_in_sync_are_dead_and_they_stay_in_sync() -> None:
    controller = in_office([0, 1], topic("t", {0: [1, 0]}, states={0: (state(1, 4, [1]), 6)}))
    effects = play(controller, BrokersListed([broker(0)]))
    assert written(effects) == [[FENCE, SetData("/brokers/topics/t/partitions/0/state", state(-1, 5, [1]).encode(), 6)]]
    back = play(controller, BrokersListed([broker(0), broker(1, epoch=200)]))
    assert told(back)[-1] == (1, "UpdateMetadata", ("t", 0, 1, 6, [1]))


def test_a_dead_follower_leaves_the_in_sync_set_and_the_leader_stays() -> None:
    controller = in_office([0, 1], topic("t", {0: [0, 1]}, states={0: (state(0, 4, [0, 1]), 6)}))
    effects = play(controller, BrokersListed([broker(0)]))
    assert told(effects)[-1] == (0, "UpdateMetadata", ("t", 0, 0, 5, [0]))
    last = effects[-1]
    assert isinstance(last, Send)
    assert isinstance(last.request, UpdateMetadataRequest)
    assert last.request.topic_states[0].partition_states[0].offline_replicas == [1]


def test_a_leader_that_died_and_came_back_unseen_is_elected_anew() -> None:
    controller = in_office([0], topic("t", {0: [0]}, states={0: (state(0, 4, [0]), 6)}))
    effects = play(controller, BrokersListed([broker(0, epoch=200)]))
    assert told(effects)[-1] == (0, "UpdateMetadata", ("t", 0, 0, 5, [0]))


def test_a_changed_listener_is_told_to_all_without_an_election() -> None:
    controller = in_office([0, 1], topic("t", {0: [0]}))
    moved = LiveBroker(1, 101, BrokerNode({"PLAINTEXT": Address("elsewhere", 1)}))
    effects = play(controller, BrokersListed([broker(0), moved]))
    assert told(effects) == [(0, "UpdateMetadata"), (1, "UpdateMetadata")]
    assert controller.handle(BrokersListed([broker(0), moved])) == []


def test_a_deletion_stops_replicas_then_removes_nodes_and_the_request_last() -> None:
    controller = in_office([0], topic("t", {0: [0], 1: [0]}))
    effects = play(controller, DeletesListed(["t"]))
    assert told(effects) == [
        (0, "UpdateMetadata", ("t", 0, -2, -2, [0]), ("t", 1, -2, -2, [0])),
        (0, "StopReplica", ("t", 0, True), ("t", 1, True)),
    ]
    stop = effects[-1]
    assert isinstance(stop, Send)
    done = play(controller, Answered(0, stop.request, StopReplicaResponse()))
    assert removed(done) == [("/brokers/topics/t", "/config/topics/t", "/admin/delete_topics/t")]
    assert controller.handle(Removed(A)) == []
    assert controller.handle(TopicsListed([])) == []
    again = play(controller, TopicsRead([topic("t", {0: [0]}, id=B, czxid=60)]))
    assert told(again)[-1] == (0, "UpdateMetadata", ("t", 0, 0, 0, [0]))


def test_a_topic_with_a_replica_on_a_dead_broker_is_deleted_when_that_is_back() -> None:
    controller = in_office([0], topic("t", {0: [0, 1]}))
    assert told(play(controller, DeletesListed(["t"]))) == []
    back = told(play(controller, BrokersListed([broker(0), broker(1)])))
    assert (1, "StopReplica", ("t", 0, True)) in back


def test_a_broker_that_cannot_delete_is_asked_again_later() -> None:
    controller = in_office([0], topic("t", {0: [0]}))
    stop = play(controller, DeletesListed(["t"]))[-1]
    assert isinstance(stop, Send)
    no = StopReplicaPartitionError(topic_name="t", error_code=ErrorCode.KAFKA_STORAGE_ERROR)
    effects = controller.handle(Answered(0, stop.request, StopReplicaResponse(partition_errors=[no])))
    assert effects == [SetTimer("retry-deletions", 5_000)]
    assert told(controller.handle(TimerFired("retry-deletions")))[-1] == (0, "StopReplica", ("t", 0, True))


def test_a_broker_that_dies_while_deleting_is_asked_again_when_it_is_back() -> None:
    controller = in_office([0, 1], topic("t", {0: [1]}))
    play(controller, DeletesListed(["t"]))
    assert told(play(controller, BrokersListed([broker(0)]))) == [(0, "UpdateMetadata")]
    back = told(play(controller, BrokersListed([broker(0), broker(1, epoch=200)])))
    assert back[-1] == (1, "StopReplica", ("t", 0, True))


def test_requests_to_delete_what_is_not_there_are_only_taken_away() -> None:
    assert removed(in_office([0]).handle(DeletesListed(["nothing"]))) == [("/admin/delete_topics/nothing",)]


def test_with_deletion_switched_off_only_the_request_goes() -> None:
    controller = in_office([0], topic("t", {0: [0]}), delete_topics=False)
    effects = controller.handle(DeletesListed(["t"]))
    assert removed(effects) == [("/admin/delete_topics/t",)]
    assert len(effects) == 1
    assert controller.handle(TopicsListed(["t"])) == []


def test_a_topic_removed_by_hand_loses_its_leaders_but_not_its_files() -> None:
    controller = in_office([0], topic("t", {0: [0]}))
    assert told(controller.handle(TopicsListed([]))) == [
        (0, "UpdateMetadata", ("t", 0, -2, -2, [0])),
        (0, "StopReplica", ("t", 0, False)),
    ]


def test_a_topic_made_anew_under_the_same_name_is_another_topic() -> None:
    controller = in_office([0], topic("t", {0: [0]}))
    effects = play(controller, TopicsRead([topic("t", {0: [0]}, id=B, czxid=51)]))
    assert told(effects)[:2] == [(0, "UpdateMetadata", ("t", 0, -2, -2, [0])), (0, "StopReplica", ("t", 0, False))]
    last = effects[-1]
    assert isinstance(last, Send)
    assert isinstance(last.request, UpdateMetadataRequest)
    assert last.request.topic_states[0].topic_id == B


def test_a_refused_write_is_read_again_and_decided_again() -> None:
    controller = in_office([0, 1], topic("t", {0: [1, 0]}, states={0: (state(1, 4, [1, 0]), 6)}))
    *_, write = controller.handle(BrokersListed([broker(0)]))
    assert isinstance(write, Write)
    assert controller.handle(WriteFailed(write.tag, BadVersion())) == [ReadTopics(("t",))]
    effects = play(controller, TopicsRead([topic("t", {0: [1, 0]}, states={0: (state(1, 4, [1]), 7)})]))
    assert written(effects) == [[FENCE, SetData("/brokers/topics/t/partitions/0/state", state(-1, 5, [1]).encode(), 7)]]


def test_an_in_sync_set_that_a_leader_changed_is_told_to_all() -> None:
    controller = in_office([0, 1], topic("t", {0: [0, 1]}, states={0: (state(0, 4, [0]), 6)}))
    effects = play(controller, TopicsRead([topic("t", {0: [0, 1]}, states={0: (state(0, 4, [0, 1]), 7)})]))
    assert [each for each in told(effects) if each[1] == "UpdateMetadata"] == [
        (0, "UpdateMetadata", ("t", 0, 0, 4, [0, 1])),
        (1, "UpdateMetadata", ("t", 0, 0, 4, [0, 1])),
    ]


def test_preferred_replicas_lead_again_when_asked_for_and_the_request_goes() -> None:
    controller = in_office([0, 1], topic("t", {0: [1, 0], 1: [0]}, states={0: (state(0, 4, [0, 1]), 6)}))
    effects = play(controller, ElectionAsked([("t", 0), ("t", 1), ("nothing", 0)]))
    assert (1, "LeaderAndIsr", ("t", 0, 1, 5, [0, 1])) in told(effects)
    assert removed(effects) == [("/admin/preferred_replica_election",)]


def test_a_replica_whose_disk_failed_leads_no_more() -> None:
    controller = in_office([0, 1], topic("t", {0: [0, 1]}, states={0: (state(0, 4, [0, 1]), 6)}))
    asked = controller.handle(LogDirFailed(0))[0]
    assert isinstance(asked, Send)
    no = LeaderAndIsrPartitionError(partition_index=0, error_code=ErrorCode.KAFKA_STORAGE_ERROR)
    answer = LeaderAndIsrResponse(topics=[LeaderAndIsrTopicError(topic_id=A, partition_errors=[no])])
    effects = play(controller, Answered(0, asked.request, answer))
    assert told(effects)[-1] == (1, "UpdateMetadata", ("t", 0, 1, 5, [1]))


def test_a_thousand_partitions_are_written_in_several_multis_roots_first() -> None:
    controller = in_office([0])
    effects = play(controller, TopicsRead([topic("t", {each: [0] for each in range(1000)})]))
    sizes = [len(each) for each in written(effects)]
    assert max(sizes) <= 1001
    assert sum(sizes) == 2001 + len(sizes)
    assert written(effects)[0][1] == Create("/brokers/topics/t/partitions")
    assert all(each[0] == FENCE for each in written(effects))
