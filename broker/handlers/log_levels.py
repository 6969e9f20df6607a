"""The loggers of this process and their levels, under Java's names for these (KIP-412).

A level is the process's: brokers that share one share it.
"""

import logging
from collections.abc import Iterable, Sequence

from broker.config.describe import Entry, Source
from broker.config.kinds import UNKNOWN_WIRE_CODE
from broker.handlers.config_edits import Edit, EditOperation
from kproto.errors import ApiError, ErrorCode

ROOT = "root"
LEVELS = {
    "FATAL": logging.CRITICAL,
    "ERROR": logging.ERROR,
    "WARN": logging.WARNING,
    "INFO": logging.INFO,
    "DEBUG": logging.DEBUG,
    "TRACE": 1,
}


def logger_entries() -> Iterable[Entry]:
    """Each logger with the level that holds for it; no type and no documentation, as in Kafka."""
    for name, logger in sorted(_loggers().items()):
        yield Entry(name, _level_name(logger.getEffectiveLevel()), Source.LOGGER, False, False, UNKNOWN_WIRE_CODE, "")


def check_levels(edits: Sequence[Edit]) -> None:
    """Raises: ApiError: INVALID_CONFIG: no such logger or level; INVALID_REQUEST: what cannot be done to a level."""
    known = _loggers()
    for edit in edits:
        if edit.operation in (EditOperation.APPEND, EditOperation.SUBTRACT):
            what = f"{edit.operation.name} operation is not allowed for the BROKER_LOGGER resource"
            raise ApiError(ErrorCode.INVALID_REQUEST, what)
        if edit.name not in known:
            raise ApiError(ErrorCode.INVALID_CONFIG, f"Logger {edit.name} does not exist!")
        if edit.operation is EditOperation.DELETE and edit.name == ROOT:
            raise ApiError(ErrorCode.INVALID_REQUEST, "Removing the log level of the root logger is not allowed")
        if edit.operation is EditOperation.SET and edit.value not in LEVELS:
            raise ApiError(
                ErrorCode.INVALID_CONFIG,
                f"Cannot set the log level of {edit.name} to {edit.value} as it is not a supported log level. "
                f"Valid log levels are {', '.join(LEVELS)}",
            )


def set_levels(edits: Sequence[Edit]) -> None:
    """Edits that passed `check_levels`; a level taken away is that of the logger above."""
    known = _loggers()
    for edit in edits:
        known[edit.name].setLevel(logging.NOTSET if edit.operation is EditOperation.DELETE else LEVELS[edit.value])


def _loggers() -> dict[str, logging.Logger]:
    named = logging.root.manager.loggerDict.items()
    return {ROOT: logging.root, **{name: each for name, each in named if isinstance(each, logging.Logger)}}


def _level_name(level: int) -> str:
    return next((name for name, number in LEVELS.items() if level >= number), "TRACE")
