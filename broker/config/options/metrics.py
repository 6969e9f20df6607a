"""Metrics and telemetry."""

from broker.config.checks import at_least
from broker.config.keys import CLUSTER, JAVA, Key, Settings
from broker.config.kinds import BOOLEAN, INT, LIST, LONG, STRING


class MetricsSettings(Settings):
    """Metrics and telemetry."""

    NO_EFFECT_BECAUSE = "/metrics tells plain counters, without samples and levels"
    NOTHING_WORKS = True

    auto_include_jmx_reporter = Key(
        "auto.include.jmx.reporter",
        BOOLEAN,
        True,
        because="there is no Java and so no JMX; /metrics tells the numbers by HTTP",
        doc="Whether metrics are shown by JMX even if metric.reporters names others.",
    )
    kafka_metrics_polling_interval_secs = Key(
        "kafka.metrics.polling.interval.secs",
        INT,
        10,
        check=at_least(1),
        because=JAVA,
        doc="How often Java classes of kafka.metrics.reporters are asked.",
    )
    kafka_metrics_reporters = Key(
        "kafka.metrics.reporters", LIST, (), because=JAVA, doc="Java classes that are given the older metrics of Kafka."
    )
    metric_reporters = Key(
        "metric.reporters", LIST, (), update=CLUSTER, because=JAVA, doc="Java classes that are given the metrics."
    )
    metrics_num_samples = Key("metrics.num.samples", INT, 2, check=at_least(1), doc="Samples kept for each metric.")
    metrics_recording_level = Key(
        "metrics.recording.level", STRING, "INFO", doc="How many metrics are recorded: INFO, DEBUG or TRACE."
    )
    metrics_sample_window_ms = Key(
        "metrics.sample.window.ms", LONG, 30_000, check=at_least(1), doc="Length of a sample of a metric."
    )
    telemetry_max_bytes = Key(
        "telemetry.max.bytes",
        INT,
        1_048_576,
        check=at_least(1),
        because="reports of clients are not taken yet",
        doc="Largest report of metrics that a client may push (KIP-714).",
    )
