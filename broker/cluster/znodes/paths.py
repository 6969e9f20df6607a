"""Where Kafka keeps what: the paths below the chroot, and the names that must be escaped in them."""

from urllib.parse import quote, unquote

BROKER_IDS = "/brokers/ids"
TOPICS = "/brokers/topics"
SEQUENCE_ID = "/brokers/seqid"
CONTROLLER = "/controller"
CONTROLLER_EPOCH = "/controller_epoch"
CONFIGS = "/config"
CONFIG_CHANGES = "/config/changes"
DELETE_TOPICS = "/admin/delete_topics"
REASSIGN_PARTITIONS = "/admin/reassign_partitions"
PREFERRED_ELECTION = "/admin/preferred_replica_election"
ISR_CHANGES = "/isr_change_notification"
LOG_DIR_EVENTS = "/log_dir_event_notification"
PRODUCER_ID_BLOCK = "/latest_producer_id_block"
CLUSTER_ID = "/cluster/id"
FEATURE = "/feature"
CONSUMERS = "/consumers"
MIGRATION = "/migration"

# The prefixes of sequential children: the registry puts ten digits behind them.
CONFIG_CHANGE_PREFIX = f"{CONFIG_CHANGES}/config_change_"
ISR_CHANGE_PREFIX = f"{ISR_CHANGES}/isr_change_"
LOG_DIR_EVENT_PREFIX = f"{LOG_DIR_EVENTS}/log_dir_event_"

DEFAULT_ENTITY = "<default>"

# What a broker makes at start where it is missing: persistent nodes without data.
PERSISTENT_PATHS = (
    CONSUMERS,
    BROKER_IDS,
    TOPICS,
    CONFIG_CHANGES,
    DELETE_TOPICS,
    SEQUENCE_ID,
    ISR_CHANGES,
    PRODUCER_ID_BLOCK,
    LOG_DIR_EVENTS,
    f"{CONFIGS}/topics",
    f"{CONFIGS}/clients",
    f"{CONFIGS}/users",
    f"{CONFIGS}/brokers",
    f"{CONFIGS}/ips",
)


def broker_path(broker_id: int) -> str:
    return f"{BROKER_IDS}/{broker_id}"


def topic_path(topic: str) -> str:
    return f"{TOPICS}/{topic}"


def partitions_path(topic: str) -> str:
    return f"{TOPICS}/{topic}/partitions"


def partition_path(topic: str, partition: int) -> str:
    return f"{TOPICS}/{topic}/partitions/{partition}"


def partition_state_path(topic: str, partition: int) -> str:
    return f"{TOPICS}/{topic}/partitions/{partition}/state"


def delete_topic_path(topic: str) -> str:
    return f"{DELETE_TOPICS}/{topic}"


def topic_config_path(topic: str) -> str:
    return f"{CONFIGS}/topics/{topic}"


def broker_config_path(broker_id: int | None) -> str:
    """None: the values for all brokers."""
    return f"{CONFIGS}/brokers/{DEFAULT_ENTITY if broker_id is None else broker_id}"


def config_path(entity_path: str) -> str:
    """The node of a change notice's entity path, such as `topics/t` or `users/u/clients/c`."""
    return f"{CONFIGS}/{entity_path}"


def offset_path(group: str, topic: str, partition: int) -> str:
    """The offset of an old consumer, and of OffsetCommit version 0."""
    return f"{CONSUMERS}/{group}/offsets/{topic}/{partition}"


def escaped(name: str) -> str:
    """A user or client id as part of a path: percent-encoded UTF-8, a blank is `%20`.

    Source: Sanitizer.java, which is Java's URLEncoder with `+` and `*` percent-encoded as well.
    """
    return quote(name, safe="").replace("~", "%7E")


def unescaped(part: str) -> str:
    """The user or client id that was `escaped`."""
    return unquote(part)


def sequence_number(child: str) -> int:
    """The ten digits at the end of a sequential child's name. Raises: ValueError."""
    return int(child[-10:])
