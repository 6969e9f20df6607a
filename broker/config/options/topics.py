"""Topics as they are created, changed and deleted."""

from broker.config.checks import at_least
from broker.config.keys import (
    CLUSTER,
    JAVA,
    NO_REPLICATION,
    Key,
    Settings,
)
from broker.config.kinds import BOOLEAN, CLASS, INT, STRING


class TopicLifeSettings(Settings):
    """Topics as they are created, changed and deleted."""

    alter_config_policy_class_name = Key(
        "alter.config.policy.class.name",
        CLASS,
        None,
        because=JAVA,
        doc="Java class that is asked before options change.",
    )
    alter_config_policy_kraft_compatibility_enable = Key(
        "alter.config.policy.kraft.compatibility.enable",
        BOOLEAN,
        False,
        because=JAVA,
        doc="Whether alter.config.policy.class.name is told only what changes, as in Kafka's quorum.",
    )
    auto_create_topics_enable = Key(
        "auto.create.topics.enable", BOOLEAN, True, doc="Whether a Metadata request may create the topics it names."
    )
    create_topic_policy_class_name = Key(
        "create.topic.policy.class.name",
        CLASS,
        None,
        because=JAVA,
        doc="Java class that is asked before a topic is created.",
    )
    default_replication_factor = Key(
        "default.replication.factor", INT, 1, doc="Replicas of a topic created without a number."
    )
    delete_records_purgatory_purge_interval_requests = Key(
        "delete.records.purgatory.purge.interval.requests",
        INT,
        1,
        because="what waits is cleared away at once",
        doc="Waiting DeleteRecords requests after which finished ones are cleared away.",
    )
    delete_topic_enable = Key("delete.topic.enable", BOOLEAN, True, doc="Whether topics can be deleted.")
    errors_deadletterqueue_auto_create_topics_enable = Key(
        "errors.deadletterqueue.auto.create.topics.enable",
        BOOLEAN,
        False,
        update=CLUSTER,
        because="share groups are not built yet",
        doc="Whether topics for records that share groups reject are created when needed.",
    )
    errors_deadletterqueue_topic_name_prefix = Key(
        "errors.deadletterqueue.topic.name.prefix",
        STRING,
        "dlq.",
        update=CLUSTER,
        because="share groups are not built yet",
        doc="How the names of topics for rejected records begin.",
    )
    min_insync_replicas = Key(
        "min.insync.replicas",
        INT,
        1,
        check=at_least(1),
        update=CLUSTER,
        doc="Replicas that must be in sync for a write with acks=all.",
    )
    num_partitions = Key(
        "num.partitions", INT, 1, check=at_least(1), doc="Partitions of a topic created without a number."
    )
    unclean_leader_election_enable = Key(
        "unclean.leader.election.enable",
        BOOLEAN,
        False,
        update=CLUSTER,
        because=NO_REPLICATION,
        doc="Whether a replica out of sync may lead when no other is left; acknowledged records may be lost.",
    )
    barnabas_autocreate_max_per_request = Key(
        "barnabas.autocreate.max.per.request",
        INT,
        1000,
        check=at_least(0),
        doc="Unknown topics that one Metadata request may create; the rest is refused.",
    )
