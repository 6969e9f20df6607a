"""The owner of a certificate as Java writes it, which rules of principals and access lists are written for.

`X500Principal.getName()` is RFC 2253: the last name first, few keywords, its own escapes; what has no keyword is a
number and the value's DER bytes. Source: X500Name, AVA and AVAKeyword of OpenJDK 17.
"""

from collections.abc import Iterator

KEYWORDS = {
    "2.5.4.3": "CN",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
}
TEXTS = (12, 19, 20, 22, 30)
"""What Java shows as text, and reads as UTF-8: UTF8, Printable, T61, IA5 strings, and BMP strings, which are not."""
ESCAPED = frozenset(',=+<>#;"\\')
_BLANKS = " \r"
_VERSION = 0xA0
_FIELDS_BEFORE_SUBJECT = 4
"""Serial number, signature algorithm, issuer, validity."""


def subject_of(certificate: bytes) -> str:
    """The subject's name; empty where it has none.

    Args: certificate: X.509 in DER, one that OpenSSL has read already.
    Raises: ValueError: it is none.
    """
    try:
        _, whole, _ = _element(certificate, 0)
        _, signed, _ = _element(whole, 0)
        fields = [field for field in _elements(signed) if field[0] != _VERSION]
        names = [_name(names) for _, names, _ in _elements(fields[_FIELDS_BEFORE_SUBJECT][1])]
    except IndexError:
        raise ValueError("not a certificate") from None
    return ",".join(reversed(names))


def _name(attributes: bytes) -> str:
    return "+".join(_attribute(attribute) for _, attribute, _ in _elements(attributes))


def _attribute(attribute: bytes) -> str:
    (_, number, _), (tag, value, encoded) = _elements(attribute)
    oid = _oid(number)
    if oid not in KEYWORDS or tag not in TEXTS:
        return f"{KEYWORDS.get(oid, oid)}=#{encoded.hex()}"
    return f"{KEYWORDS[oid]}={_escaped(value.decode(errors='replace'))}"


def _escaped(text: str) -> str:
    shown = "".join("\\00" if char == "\0" else "\\" + char if char in ESCAPED else char for char in text)
    left, right = shown.lstrip(_BLANKS), shown.rstrip(_BLANKS)
    if not left:
        return "".join("\\" + char for char in shown)
    lead, trail = shown[: len(shown) - len(left)], shown[len(right) :]
    middle = shown[len(lead) : len(shown) - len(trail)]
    return "".join("\\" + char for char in lead) + middle + "".join("\\" + char for char in trail)


def _oid(data: bytes) -> str:
    numbers, number = [], 0
    for byte in data:
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, [first, numbers[0] - 40 * first, *numbers[1:]]))


def _elements(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Each element's tag, its content, and all of it."""
    at = 0
    while at < len(data):
        tag, content, size = _element(data, at)
        yield tag, content, data[at : at + size]
        at += size


def _element(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Tag, content and whole size of the DER element at a place."""
    tag, length, begins = data[at], data[at + 1], at + 2
    if length >= 0x80:
        begins += length & 0x7F
        length = int.from_bytes(data[at + 2 : begins])
    if begins + length > len(data):
        raise ValueError("cut short")
    return tag, data[begins : begins + length], begins + length - at
