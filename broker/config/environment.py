"""Options from the environment, by the rules of the container images that people know.

`KAFKA_LOG_RETENTION_MS` is log.retention.ms: one underscore is a dot, two an underscore, three a dash
(apache/kafka, confluentinc/cp-kafka); `KAFKA_CFG_` is bitnami's prefix; `KAFKA_CREATE_TOPICS` is wurstmeister's.
"""

import re
from collections.abc import Mapping

from broker.config.settings import BrokerSettings
from broker.config.written import Written

PREFIX = "KAFKA_"
BITNAMI_PREFIX = "KAFKA_CFG_"
NOT_OPTIONS = frozenset(
    {
        "KAFKA_VERSION",
        "KAFKA_HEAP_OPTS",
        "KAFKA_LOG4J_OPTS",
        "KAFKA_OPTS",
        "KAFKA_JMX_OPTS",
        "KAFKA_JMX_PORT",
        "KAFKA_JMX_HOSTNAME",
        "KAFKA_JVM_PERFORMANCE_OPTS",
        "KAFKA_GC_LOG_OPTS",
        "KAFKA_LOG4J_ROOT_LOGLEVEL",
        "KAFKA_LOG4J_LOGGERS",
        "KAFKA_TOOLS_LOG4J_LOGLEVEL",
        "KAFKA_HOME",
        "KAFKA_DEBUG",
        "KAFKA_CREATE_TOPICS",
        "KAFKA_BOOTSTRAP_SERVERS",
        "KAFKA_SSL_KEYSTORE_FILENAME",
        "KAFKA_SSL_KEYSTORE_CREDENTIALS",
        "KAFKA_SSL_KEY_CREDENTIALS",
        "KAFKA_SSL_TRUSTSTORE_FILENAME",
        "KAFKA_SSL_TRUSTSTORE_CREDENTIALS",
    }
)
_KUBERNETES = re.compile(r"KAFKA_(SERVICE_(HOST|PORT)|PORT_\d+_)")
_UNDERSCORES = re.compile("_+")
_MEANING = {1: ".", 2: "_", 3: "-"}


def option_name(variable: str) -> str:
    """`LOG_RETENTION_MS` (the prefix is gone already) as the option's name; capitals come back where Kafka has them."""
    name = _UNDERSCORES.sub(lambda run: _MEANING.get(len(run.group()), run.group()), variable.lower())
    return next((known for known in BrokerSettings.KEYS if known.lower() == name), name)


def read_environment(environment: Mapping[str, str]) -> list[Written]:
    """All options that the environment sets, by variable name; what is not an option is passed over."""
    written = []
    for variable, text in sorted(environment.items()):
        if variable == "CLUSTER_ID":
            written.append(Written("barnabas.cluster.id", text, _place(variable)))
        elif variable.startswith(PREFIX) and not _is_something_else(variable, text):
            prefix = BITNAMI_PREFIX if variable.startswith(BITNAMI_PREFIX) else PREFIX
            written.append(Written(option_name(variable.removeprefix(prefix)), text, _place(variable)))
    return written + _derived_listeners(written)


def _place(variable: str) -> str:
    return f"environment variable {variable}"


def _is_something_else(variable: str, text: str) -> bool:
    """Java's and the tools' variables, and what Kubernetes sets in every pod beside a service called kafka."""
    return variable in NOT_OPTIONS or bool(_KUBERNETES.match(variable)) or text.startswith("tcp://")


def _derived_listeners(written: list[Written]) -> list[Written]:
    """As the images do: bind every address on the advertised ports when only these are given."""
    texts = {item.name: item for item in written}
    if "listeners" in texts or "advertised.listeners" not in texts:
        return []
    advertised = texts["advertised.listeners"]
    everywhere = re.sub(r"://(\[[^\]]*\]|[^:,]*):", "://0.0.0.0:", advertised.text)
    return [Written("listeners", everywhere, f"{advertised.place} (listeners derived from it)")]
