"""Log lines in the shape of Kafka's: `[2024-05-01 12:00:00,123] INFO [KafkaServer id=0] started (kafka.server.…)`."""

import logging
import os
import sys
from typing import TextIO

JAVA_LEVELS = {"WARNING": "WARN", "CRITICAL": "FATAL"}


class KafkaFormatter(logging.Formatter):
    """Time, level, text, logger, as scripts that read Kafka's log expect them."""

    def __init__(self) -> None:
        super().__init__("[%(asctime)s] %(level)s %(message)s (%(name)s)")

    def format(self, record: logging.LogRecord) -> str:
        record.level = JAVA_LEVELS.get(record.levelname, record.levelname)
        return super().format(record)


class LogHandler(logging.StreamHandler[TextIO]):
    """Goes on without a word when nobody reads the log any more (`… | head`)."""

    def handleError(self, record: logging.LogRecord) -> None:
        if isinstance(sys.exc_info()[1], BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stream.fileno())
        else:
            super().handleError(record)


def write_log(*, everything: bool) -> None:
    """Every event on stdout as Kafka has it, or from WARNING on beside the banner on stderr."""
    handler = LogHandler(sys.stdout if everything else sys.stderr)
    handler.setFormatter(KafkaFormatter())
    logging.basicConfig(level=logging.INFO if everything else logging.WARNING, handlers=[handler], force=True)


def log_ready(broker_id: int) -> None:
    """The three lines that container images and scripts wait for."""
    logging.getLogger("kafka.server.KafkaServer").info("[KafkaServer id=%d] started", broker_id)
    logging.getLogger("kafka.server.KafkaRaftServer").info(
        "[KafkaRaftServer nodeId=%d] Kafka Server started", broker_id
    )
    logging.getLogger("kafka.server.BrokerServer").info(
        "[BrokerServer id=%d] Transitioning from RECOVERY to RUNNING", broker_id
    )
