"""Leaders, followers and the controller."""

from broker.config.checks import at_least, release_name
from broker.config.keys import CLUSTER, NO_EFFECT, NO_REPLICATION, Key, Settings
from broker.config.kinds import BOOLEAN, INT, LONG, STRING


class ReplicationSettings(Settings):
    """Leaders, followers and the controller."""

    NO_EFFECT_BECAUSE = NO_REPLICATION

    auto_leader_rebalance_enable = Key(
        "auto.leader.rebalance.enable",
        BOOLEAN,
        True,
        standing=NO_EFFECT,
        doc="Whether leadership goes back to preferred replicas by itself.",
    )
    controlled_shutdown_enable = Key(
        "controlled.shutdown.enable",
        BOOLEAN,
        True,
        standing=NO_EFFECT,
        doc="Whether a broker hands its leaderships on before it stops.",
    )
    controlled_shutdown_max_retries = Key(
        "controlled.shutdown.max.retries", INT, 3, standing=NO_EFFECT, doc="Attempts to hand leaderships on."
    )
    controlled_shutdown_retry_backoff_ms = Key(
        "controlled.shutdown.retry.backoff.ms",
        LONG,
        5000,
        standing=NO_EFFECT,
        doc="Pause between two attempts to hand leaderships on.",
    )
    controller_message_queue_size = Key(
        "controller.message.queue.size",
        INT,
        10,
        because="the controller waits for each broker's answer",
        doc="Messages that wait for one broker in the controller of 0.8.",
    )
    controller_socket_timeout_ms = Key(
        "controller.socket.timeout.ms",
        INT,
        30_000,
        because="the controller asks until it is answered or loses its office",
        doc="Longest time that the controller waits for a broker's answer.",
    )
    eligible_leader_replicas_enable = Key(
        "eligible.leader.replicas.enable",
        BOOLEAN,
        False,
        standing=NO_EFFECT,
        doc="Whether replicas that left the in-sync set safely are remembered (KIP-966).",
    )
    fetch_purgatory_purge_interval_requests = Key(
        "fetch.purgatory.purge.interval.requests",
        INT,
        1000,
        because="what waits is cleared away at once",
        doc="Waiting Fetch requests after which finished ones are cleared away.",
    )
    inter_broker_protocol_version = Key(
        "inter.broker.protocol.version",
        STRING,
        "3.9-IV0",
        check=release_name(),
        because="a broker speaks every version that its peer asks for",
        doc="Release whose protocol brokers speak with one another during an upgrade.",
    )
    leader_imbalance_check_interval_seconds = Key(
        "leader.imbalance.check.interval.seconds",
        LONG,
        300,
        check=at_least(1),
        standing=NO_EFFECT,
        doc="How often the share of unpreferred leaders is looked at.",
    )
    leader_imbalance_per_broker_percentage = Key(
        "leader.imbalance.per.broker.percentage",
        INT,
        10,
        standing=NO_EFFECT,
        doc="Share of unpreferred leaders of one broker above which leadership is moved back.",
    )
    num_replica_fetchers = Key(
        "num.replica.fetchers",
        INT,
        1,
        update=CLUSTER,
        standing=NO_EFFECT,
        doc="Connections to each other broker from which followers fetch.",
    )
    producer_purgatory_purge_interval_requests = Key(
        "producer.purgatory.purge.interval.requests",
        INT,
        1000,
        because="what waits is cleared away at once",
        doc="Waiting Produce requests after which finished ones are cleared away.",
    )
    replica_fetch_backoff_ms = Key(
        "replica.fetch.backoff.ms",
        INT,
        1000,
        check=at_least(0),
        standing=NO_EFFECT,
        doc="Pause of a follower after a failed fetch.",
    )
    replica_fetch_max_bytes = Key(
        "replica.fetch.max.bytes",
        INT,
        1_048_576,
        check=at_least(0),
        standing=NO_EFFECT,
        doc="Bytes of one partition that a follower asks for at a time.",
    )
    replica_fetch_min_bytes = Key(
        "replica.fetch.min.bytes", INT, 1, standing=NO_EFFECT, doc="Bytes that a follower waits for."
    )
    replica_fetch_response_max_bytes = Key(
        "replica.fetch.response.max.bytes",
        INT,
        10_485_760,
        check=at_least(0),
        standing=NO_EFFECT,
        doc="Bytes that a follower asks for in one answer.",
    )
    replica_fetch_wait_max_ms = Key(
        "replica.fetch.wait.max.ms", INT, 500, standing=NO_EFFECT, doc="Longest time that a follower's fetch waits."
    )
    replica_high_watermark_checkpoint_interval_ms = Key(
        "replica.high.watermark.checkpoint.interval.ms", LONG, 5000, doc="How often high watermarks are written down."
    )
    replica_lag_max_messages = Key(
        "replica.lag.max.messages",
        LONG,
        4000,
        standing=NO_EFFECT,
        doc="Records by which a follower of 0.8 might be behind and still count as in sync.",
    )
    replica_lag_time_max_ms = Key(
        "replica.lag.time.max.ms",
        LONG,
        30_000,
        standing=NO_EFFECT,
        doc="A follower that has not caught up for this long leaves the in-sync replicas.",
    )
    replica_selector_class = Key(
        "replica.selector.class",
        STRING,
        None,
        standing=NO_EFFECT,
        doc="Java class that chooses the replica a consumer fetches from.",
    )
    replica_socket_receive_buffer_bytes = Key(
        "replica.socket.receive.buffer.bytes",
        INT,
        65_536,
        standing=NO_EFFECT,
        doc="Receive buffer of a follower's sockets.",
    )
    replica_socket_timeout_ms = Key(
        "replica.socket.timeout.ms",
        INT,
        30_000,
        standing=NO_EFFECT,
        doc="Longest time that a follower waits for an answer; more than replica.fetch.wait.max.ms.",
    )
    unclean_leader_election_interval_ms = Key(
        "unclean.leader.election.interval.ms",
        LONG,
        300_000,
        check=at_least(1),
        standing=NO_EFFECT,
        hidden=True,
        doc="How often the quorum looks for partitions whose only leader would be an unclean one.",
    )
