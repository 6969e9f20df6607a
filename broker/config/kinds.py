"""The types a value can have: how its text is read, shown, and named on the wire."""

import math
from collections.abc import Callable
from typing import Generic, TypeVar

from kproto.values import frozen

T_co = TypeVar("T_co", covariant=True)


class Password(str):
    """A secret: never shown by `repr`, never answered by DescribeConfigs."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "[hidden]"


@frozen
class Kind(Generic[T_co]):
    """One type of value.

    Args:
        wire_code: ConfigType of DescribeConfigs 3 and later (KIP-569).
        parse: text to value; raises ValueError.
        show: value to text, as Kafka writes it.
        allowed: what an operator may write, as words that follow "must be".
    """

    name: str
    wire_code: int
    parse: Callable[[str], T_co]
    allowed: str
    show: Callable[[object], str] = str


def _whole_number(bits: int) -> Callable[[str], int]:
    limit = 1 << (bits - 1)

    def parse(text: str) -> int:
        digits = text[1:] if text[:1] in "+-" else text
        if not (digits.isascii() and digits.isdigit()):  # int() would also take 1_000 and other scripts
            raise ValueError(text)
        number = int(text)
        if not -limit <= number < limit:
            raise ValueError(text)
        return number

    return parse


def _double(text: str) -> float:
    if not text.isascii() or "_" in text or not math.isfinite(number := float(text)):  # float() also takes 1_0 and nan
        raise ValueError(text)
    return number


def _boolean(text: str) -> bool:
    word = text.lower()
    if word not in ("true", "false"):
        raise ValueError(text)
    return word == "true"


def _list(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",")) if text.strip() else ()


def _show_boolean(value: object) -> str:
    return "true" if value else "false"


def _show_list(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _show_double(value: object) -> str:
    """As Double.toString of Java: digits from 0.001 to 10 million, else one digit before the point and an exponent."""
    number = float(str(value))
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return repr(number)
    written = (f"{number:.{places}e}" for places in range(17))
    digits, _, exponent = next(text for text in written if float(text) == number).partition("e")
    return f"{digits}{'' if '.' in digits else '.0'}E{int(exponent)}"


BOOLEAN = Kind("boolean", 1, _boolean, "true or false", _show_boolean)
STRING = Kind("string", 2, str, "a text")
INT = Kind("int", 3, _whole_number(32), "a whole number from -2147483648 to 2147483647")
SHORT = Kind("short", 4, _whole_number(16), "a whole number from -32768 to 32767")
LONG = Kind("long", 5, _whole_number(64), "a whole number from -9223372036854775808 to 9223372036854775807")
DOUBLE = Kind("double", 6, _double, "a number", _show_double)
LIST = Kind("list", 7, _list, "a comma separated list", _show_list)
CLASS = Kind("class", 8, str, "a class name")
PASSWORD = Kind("password", 9, Password, "a text", lambda value: "[hidden]")
UNKNOWN_WIRE_CODE = 0
