"""What a batch of records may be: size, codec, times."""

from broker.config.checks import at_least, between, between_or, one_of, release_name
from broker.config.keys import CLUSTER, Key, Settings
from broker.config.kinds import BOOLEAN, INT, LONG, STRING
from broker.config.numbers import LONG_MAX


class RecordSettings(Settings):
    """What a batch of records may be: size, codec, times."""

    compression_gzip_level = Key(
        "compression.gzip.level",
        INT,
        -1,
        check=between_or(1, 9, -1),
        update=CLUSTER,
        doc="Level of gzip where compression.type is gzip; -1 is the library's own.",
    )
    compression_lz4_level = Key(
        "compression.lz4.level",
        INT,
        9,
        check=between(1, 17),
        update=CLUSTER,
        doc="Level of lz4 where compression.type is lz4; 9 is the fast way, as in Kafka, and 12 the highest there is.",
    )
    compression_type = Key(
        "compression.type",
        STRING,
        "producer",
        check=one_of("uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"),
        update=CLUSTER,
        doc="Codec of stored batches; producer keeps what was sent, others compress it anew where it differs.",
    )
    compression_zstd_level = Key(
        "compression.zstd.level",
        INT,
        3,
        check=between(-131_072, 22),
        update=CLUSTER,
        doc="Level of zstd where compression.type is zstd.",
    )
    log_message_downconversion_enable = Key(
        "log.message.downconversion.enable",
        BOOLEAN,
        True,
        update=CLUSTER,
        doc="Whether batches are rewritten for clients of older formats, which are refused otherwise (Fetch below 4).",
    )
    log_message_format_version = Key(
        "log.message.format.version",
        STRING,
        "3.0-IV1",
        check=release_name(),
        because="records are stored in the newest format",
        doc="Record format of old releases; since 3.0 always the newest one is written.",
    )
    log_message_timestamp_after_max_ms = Key(
        "log.message.timestamp.after.max.ms",
        LONG,
        LONG_MAX,
        check=at_least(0),
        update=CLUSTER,
        doc="How far a record's time may lie after the broker's.",
    )
    log_message_timestamp_before_max_ms = Key(
        "log.message.timestamp.before.max.ms",
        LONG,
        LONG_MAX,
        check=at_least(0),
        update=CLUSTER,
        doc="How far a record's time may lie before the broker's.",
    )
    log_message_timestamp_difference_max_ms = Key(
        "log.message.timestamp.difference.max.ms",
        LONG,
        LONG_MAX,
        check=at_least(0),
        update=CLUSTER,
        doc="How far a record's time may differ from the broker's, where the two newer options say nothing.",
    )
    log_message_timestamp_type = Key(
        "log.message.timestamp.type",
        STRING,
        "CreateTime",
        check=one_of("CreateTime", "LogAppendTime"),
        update=CLUSTER,
        doc="CreateTime keeps the producer's time, LogAppendTime stamps the broker's.",
    )
    max_decompressed_message_bytes = Key(
        "max.decompressed.message.bytes",
        INT,
        2_147_483_639,
        check=between(1, 2_147_483_639),
        update=CLUSTER,
        because="barnabas.batch.inflated.max.bytes bounds what a batch inflates to",
        doc="Largest batch after inflation.",
    )
    message_max_bytes = Key(
        "message.max.bytes",
        INT,
        1_048_588,
        check=at_least(0),
        update=CLUSTER,
        doc="Largest record batch, as compressed by the producer.",
    )
    barnabas_batch_inflated_max_bytes = Key(
        "barnabas.batch.inflated.max.bytes",
        INT,
        134_217_728,
        check=at_least(1),
        doc="Largest inflated size of one record batch; past it the batch is refused.",
    )
    barnabas_records_validation = Key(
        "barnabas.records.validation",
        STRING,
        "full",
        check=one_of("full", "header"),
        doc="full checks every record of a batch as Kafka does, header only its first 61 bytes and the checksum.",
    )
