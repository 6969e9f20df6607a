"""Who may not, changes nothing and learns no names."""

from broker.cluster.authorizer import Operation, Resource
from broker.testing.cluster_of_one import ClusterOfOne, cluster_of_one
from kproto.errors import ErrorCode
from kproto.messages.create_partitions import CreatePartitionsRequest, CreatePartitionsTopic
from kproto.messages.create_topics import CreatableTopic, CreateTopicsRequest
from kproto.messages.delete_topics import DeleteTopicsRequest, DeleteTopicState

DENIED = ErrorCode.TOPIC_AUTHORIZATION_FAILED


class Reader:
    """May read everything; changes only what is named `mine`."""

    def __init__(self, *more: Operation) -> None:
        self.may = {Operation.READ, Operation.CLUSTER_ACTION, *more}

    def allows(self, principal: str, host: str, operation: Operation, resource: Resource) -> bool:
        return operation in self.may or (resource.name == "mine" and operation != Operation.DESCRIBE_CONFIGS)


async def with_topics(cluster: ClusterOfOne) -> None:
    await cluster.topics.create_by_default(["mine", "theirs"], timeout_ms=1000).waiter().wait(1000)


async def test_topics_of_others_are_not_created() -> None:
    async with cluster_of_one(authorizer=Reader()) as cluster:
        topics = [CreatableTopic(name=name, num_partitions=1, replication_factor=1) for name in ("theirs", "mine")]
        theirs, mine = (await cluster.ask(CreateTopicsRequest(topics=topics), 7)).topics
        assert (theirs.error_code, mine.error_code) == (DENIED, 0)
        assert (mine.topic_config_error_code, mine.num_partitions, mine.replication_factor) == (DENIED, -1, -1)
        assert not mine.configs
        assert list(cluster.image.topics) == ["mine"]


async def test_topics_of_others_are_not_deleted_and_their_ids_tell_no_name() -> None:
    async with cluster_of_one(authorizer=Reader()) as cluster:
        await with_topics(cluster)
        topic_id = cluster.image.topics["theirs"].id
        states = [
            DeleteTopicState(topic_id=topic_id),
            DeleteTopicState(name="theirs"),
            DeleteTopicState(name="unknown"),
            DeleteTopicState(name="mine"),
        ]
        rows = (await cluster.ask(DeleteTopicsRequest(topics=states, timeout_ms=1000), 6)).responses
        assert [(row.name, row.error_code) for row in rows] == [
            (None, DENIED),
            ("theirs", DENIED),
            ("unknown", DENIED),
            ("mine", 0),
        ]
        assert list(cluster.image.topics) == ["theirs"]


async def test_topics_of_others_are_not_grown() -> None:
    async with cluster_of_one(authorizer=Reader()) as cluster:
        await with_topics(cluster)
        topics = [CreatePartitionsTopic(name=name, count=2, assignments=None) for name in ("theirs", "mine")]
        rows = (await cluster.ask(CreatePartitionsRequest(topics=topics, timeout_ms=1000), 3)).results
        assert [row.error_code for row in rows] == [DENIED, 0]
        assert len(cluster.image.topics["theirs"].partitions) == 1


async def test_who_may_create_in_the_cluster_needs_no_right_on_the_topic() -> None:
    async with cluster_of_one(authorizer=Reader(Operation.CREATE)) as cluster:
        topics = [CreatableTopic(name="theirs", num_partitions=1, replication_factor=1)]
        assert (await cluster.ask(CreateTopicsRequest(topics=topics), 7)).topics[0].error_code == 0
