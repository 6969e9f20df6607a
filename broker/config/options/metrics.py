"""Metrics and telemetry."""

from broker.config.checks import at_least
from broker.config.keys import CLUSTER, NO_EFFECT, Key, Settings
from broker.config.kinds import BOOLEAN, INT, LIST, LONG, STRING


class MetricsSettings(Settings):
    """Metrics and telemetry."""

    auto_include_jmx_reporter = Key("auto.include.jmx.reporter", BOOLEAN, True, standing=NO_EFFECT)
    kafka_metrics_polling_interval_secs = Key(
        "kafka.metrics.polling.interval.secs", INT, 10, check=at_least(1), standing=NO_EFFECT
    )
    kafka_metrics_reporters = Key("kafka.metrics.reporters", LIST, (), standing=NO_EFFECT)
    metric_reporters = Key("metric.reporters", LIST, (), update=CLUSTER, standing=NO_EFFECT)
    metrics_num_samples = Key("metrics.num.samples", INT, 2, check=at_least(1), standing=NO_EFFECT)
    metrics_recording_level = Key("metrics.recording.level", STRING, "INFO", standing=NO_EFFECT)
    metrics_sample_window_ms = Key("metrics.sample.window.ms", LONG, 30_000, check=at_least(1), standing=NO_EFFECT)
    telemetry_max_bytes = Key("telemetry.max.bytes", INT, 1_048_576, check=at_least(1), standing=NO_EFFECT)
