"""Reads a Java properties file, with the line of every value."""

from pathlib import Path

from broker.config.problems import OperatorError
from broker.config.written import Written


def read_properties(path: Path) -> list[Written]:
    """All assignments in the order of the file; the last of a repeated name counts, as in Java.

    Escapes and continuation lines as java.util.Properties has them; the text is UTF-8, or Latin-1 as Java reads it.
    Raises: OperatorError: no such file, it cannot be read, or it has an escape that Java would not take.
    """
    import javaproperties  # only who has a file pays

    written, line = [], 1
    try:
        for element in javaproperties.parse(_text(path)):
            if isinstance(element, javaproperties.KeyValue):
                written.append(Written(element.key, element.value, f"{path}, line {line}"))
            line += element.source.count("\n")
    except javaproperties.InvalidUEscapeError:
        raise OperatorError(
            f"{path}, line {line}: an escape cannot be read.",
            "Behind \\u there must be four hexadecimal digits.",
            "Write a backslash twice where one is meant.",
        ) from None
    return written


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise OperatorError(
            f"Cannot read {path}.", f"The system says: {error.strerror}.", "Name a readable server.properties file."
        ) from None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")
