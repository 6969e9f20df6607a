"""Transactions and producer ids."""

from broker.config.checks import at_least
from broker.config.keys import CLUSTER, NO_EFFECT, Key, Settings
from broker.config.kinds import BOOLEAN, INT, SHORT


class TransactionSettings(Settings):
    """Transactions and producer ids."""

    NO_EFFECT_BECAUSE = "transactions are not built yet"

    add_partitions_to_txn_retry_backoff_max_ms = Key(
        "add.partitions.to.txn.retry.backoff.max.ms",
        INT,
        100,
        check=at_least(0),
        standing=NO_EFFECT,
        doc="Longest pause before a partition is added to a transaction again.",
    )
    add_partitions_to_txn_retry_backoff_ms = Key(
        "add.partitions.to.txn.retry.backoff.ms",
        INT,
        20,
        check=at_least(1),
        standing=NO_EFFECT,
        doc="First pause before a partition is added to a transaction again.",
    )
    producer_id_expiration_check_interval_ms = Key(
        "producer.id.expiration.check.interval.ms",
        INT,
        600_000,
        check=at_least(1),
        hidden=True,
        doc="How often the state of producers that write no more is looked for.",
    )
    producer_id_expiration_ms = Key(
        "producer.id.expiration.ms",
        INT,
        86_400_000,
        check=at_least(1),
        update=CLUSTER,
        doc="How long the state of a producer that writes no more is kept.",
    )
    transaction_abort_timed_out_transaction_cleanup_interval_ms = Key(
        "transaction.abort.timed.out.transaction.cleanup.interval.ms",
        INT,
        10_000,
        check=at_least(1),
        standing=NO_EFFECT,
        doc="How often transactions past their time are looked for.",
    )
    transaction_max_timeout_ms = Key(
        "transaction.max.timeout.ms",
        INT,
        900_000,
        check=at_least(1),
        doc="Longest transaction timeout that a producer may ask for.",
    )
    transaction_partition_verification_enable = Key(
        "transaction.partition.verification.enable",
        BOOLEAN,
        True,
        update=CLUSTER,
        standing=NO_EFFECT,
        doc="Whether a partition asks if it belongs to a transaction before the first write (KIP-890).",
    )
    transaction_remove_expired_transaction_cleanup_interval_ms = Key(
        "transaction.remove.expired.transaction.cleanup.interval.ms",
        INT,
        3_600_000,
        check=at_least(1),
        standing=NO_EFFECT,
        doc="How often transactional ids that expired are removed.",
    )
    transaction_state_log_load_buffer_size = Key(
        "transaction.state.log.load.buffer.size",
        INT,
        5_242_880,
        check=at_least(1),
        standing=NO_EFFECT,
        doc="Bytes read at once when the state of transactions is loaded.",
    )
    transaction_state_log_min_isr = Key(
        "transaction.state.log.min.isr",
        INT,
        2,
        check=at_least(1),
        doc="Replicas of the transaction topic that must be in sync for a write.",
    )
    transaction_state_log_num_partitions = Key(
        "transaction.state.log.num.partitions",
        INT,
        50,
        check=at_least(1),
        doc="Partitions of the topic that keeps transactions.",
    )
    transaction_state_log_replication_factor = Key(
        "transaction.state.log.replication.factor",
        SHORT,
        3,
        check=at_least(1),
        doc="Replicas of the topic that keeps transactions.",
    )
    transaction_state_log_segment_bytes = Key(
        "transaction.state.log.segment.bytes",
        INT,
        104_857_600,
        check=at_least(1),
        doc="Segment size of the topic of transaction state.",
    )
    transaction_two_phase_commit_enable = Key(
        "transaction.two.phase.commit.enable",
        BOOLEAN,
        False,
        standing=NO_EFFECT,
        doc="Whether producers may leave a transaction prepared for an outside coordinator (KIP-939).",
    )
    transactional_id_expiration_ms = Key(
        "transactional.id.expiration.ms",
        INT,
        604_800_000,
        check=at_least(1),
        standing=NO_EFFECT,
        doc="How long a transactional id that is not used is kept.",
    )
