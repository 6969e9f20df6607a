"""Reads a Java properties file, with the line of every value."""

import re
from collections.abc import Iterator
from pathlib import Path

from broker.config.problems import OperatorError
from broker.config.written import Written

BLANK = " \t\f"
LETTERS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
"""What these stand for behind a backslash; any other character stands for itself."""


def read_properties(path: Path) -> list[Written]:
    """All assignments in the order of the file; the last of a repeated name counts, as in Java.

    Escapes and continuation lines as java.util.Properties has them; the text is UTF-8, or Latin-1 as Java reads it.
    Raises: OperatorError: no such file, it cannot be read, or it has an escape that Java would not take.
    """
    written = []
    for number, line in _logical_lines(_text(path)):
        place = f"{path}, line {number}"
        key, value = _split(line)
        try:
            written.append(Written(_unescaped(key), _unescaped(value), place))
        except ValueError:
            raise OperatorError(
                f"{place}: an escape cannot be read.",
                "Behind \\u there must be four hexadecimal digits.",
                "Write a backslash twice where one is meant.",
            ) from None
    return written


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Each with the number of its first line, without comments, blank lines and the backslashes that join lines."""
    lines = enumerate(text.split("\n"), 1)
    for number, line in lines:
        whole = line.lstrip(BLANK)
        if whole.startswith(("#", "!")):
            continue
        while _goes_on(whole):
            _, more = next(lines, (0, ""))
            whole = whole[:-1] + more.lstrip(BLANK)
        if whole:
            yield number, whole


def _goes_on(line: str) -> bool:
    """Whether its last backslash is not itself escaped."""
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


def _split(line: str) -> tuple[str, str]:
    """A key ends at the first `=`, `:` or blank that is not escaped."""
    key = re.match(r"(?:\\.|[^\\=: \t\f])*", line)
    assert key is not None, "it matches nothing, at least"
    value = line[key.end() :].lstrip(BLANK)
    return key[0], value[1:].lstrip(BLANK) if value.startswith(("=", ":")) else value


def _unescaped(text: str) -> str:
    r"""Raises: ValueError: behind `\u` there are not four digits."""
    if "\\" not in text:
        return text
    plain = re.sub(r"\\(?:u(.{0,4})|(.))", _character, text)
    return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")  # Java escapes UTF-16


def _character(escape: re.Match[str]) -> str:
    digits, letter = escape.groups()
    if digits is None:
        return LETTERS.get(letter, letter)
    if re.fullmatch("[0-9A-Fa-f]{4}", digits) is None:
        raise ValueError(escape[0])
    return chr(int(digits, 16))


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
