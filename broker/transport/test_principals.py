"""Users of certificates: rules and names as Apache Kafka and Java have them."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.name import _ASN1Type as Kind
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from broker.transport.distinguished_name import subject_of
from broker.transport.principals import BadRules, NoRule, PrincipalRules

KEY = ec.generate_private_key(ec.SECP256R1())
ALICE, BOB = r"CN=alice,OU=Dev,O=Test\, Inc.,C=DE", "CN=bob"


def certificate(*names: list[Any]) -> bytes:
    """Of a subject, each list one relative name."""
    builder = x509.CertificateBuilder(
        subject_name=x509.Name([x509.RelativeDistinguishedName(each) for each in names]),
        issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the authority")]),
        public_key=KEY.public_key(),
        serial_number=1,
        not_valid_before=datetime(2020, 1, 1, tzinfo=UTC),
        not_valid_after=datetime(2040, 1, 1, tzinfo=UTC),
    )
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def attribute(oid: x509.ObjectIdentifier, text: str, kind: Kind = Kind.UTF8String) -> Any:
    return x509.NameAttribute(oid, text, _type=kind, _validate=False)


CN, O, OU = NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME  # noqa: E741

JAVA = [
    ([[attribute(NameOID.COUNTRY_NAME, "DE", Kind.PrintableString)], [attribute(O, "T, Inc.")], [attribute(CN, "a")]],
     r"CN=a,O=T\, Inc.,C=DE"),
    ([[attribute(CN, " # ")]], r"CN=\ \#\ "),
    ([[attribute(CN, "   ")]], r"CN=\ \ \ "),
    ([[attribute(CN, 'a+b=c"<d>;\\')]], r"CN=a\+b\=c\"\<d\>\;\\"),
    ([[attribute(CN, "nul\0x")]], r"CN=nul\00x"),
    ([[attribute(CN, "x", Kind.NumericString)]], "CN=#120178"),
    ([[attribute(NameOID.EMAIL_ADDRESS, "a@b", Kind.IA5String)], [attribute(CN, "Ünit 日本")]],
     "CN=Ünit 日本,1.2.840.113549.1.9.1=#1603614062"),
    ([[attribute(x509.ObjectIdentifier("2.999.1"), "x")]], "2.999.1=#0c0178"),
    ([[attribute(CN, "a", Kind.BMPString)]], r"CN=\00a"),
    ([[attribute(CN, "a"), attribute(OU, "b")]], "CN=a+OU=b"),
    ([[attribute(NameOID.USER_ID, "u")], [attribute(NameOID.DOMAIN_COMPONENT, "d")]], "DC=d,UID=u"),
    ([], ""),
]  # fmt: skip
"""What X500Principal.getName() of OpenJDK 17 said of the same certificates."""


@pytest.mark.parametrize(("names", "java"), JAVA, ids=[java for _, java in JAVA])
def test_a_subject_is_written_as_java_writes_it(names: list[list[Any]], java: str) -> None:
    assert subject_of(certificate(*names)) == java


@given(st.lists(st.tuples(st.sampled_from([CN, O, OU]), st.text(min_size=1, max_size=8)), max_size=4))
def test_what_was_escaped_can_be_read_back(pairs: list[tuple[x509.ObjectIdentifier, str]]) -> None:
    """The library's own reader of such names gives the same texts, in the order of the certificate."""
    shown = subject_of(certificate(*[[attribute(oid, text)] for oid, text in pairs]))
    shown = re.sub(r"\\(\r)", lambda blank: rf"\{ord(blank[1]):02x}", shown)  # Java escapes it as a blank
    read = x509.Name.from_rfc4514_string(shown) if shown else x509.Name([])
    assert [(each.oid, each.value) for each in read] == pairs


@given(st.binary(max_size=40))
def test_bytes_that_are_no_certificate_are_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        subject_of(data)


KAFKA = [
    ("DEFAULT", ALICE, ALICE),
    ("RULE:^CN=(.*?),.*$/$1/", ALICE, "alice"),
    ("RULE:^CN=(.*?),.*$/$1/U", ALICE, "ALICE"),
    ("RULE:^CN=(.*?),OU=(.*?),O=(.*?),C=(.*?)$/$1@$2/L, RULE:^CN=(.*)$/$1/U ,DEFAULT", ALICE, "alice@dev"),
    ("RULE:^CN=(.*?),OU=(.*?),O=(.*?),C=(.*?)$/$1@$2/L, RULE:^CN=(.*)$/$1/U ,DEFAULT", BOB, "BOB"),
    ("RULE:^CN=(.*?),OU=(.*?),O=(.*?),C=(.*?)$/$1@$2/L, RULE:^CN=(.*)$/$1/U ,DEFAULT", "O=x,CN=y", "O=x,CN=y"),
    ("RULE:^CN=(.*)$/$10/", BOB, "bob0"),
    ("RULE:^CN=(.*)$/$3x/", BOB, "$3x"),
    ("RULE:^CN=bob$/$0!/", BOB, "CN=bob!"),
    ("RULE:^CN=(?<who>[a-z]+).*$/${who}!/", ALICE, "alice!"),
    (r"RULE:^CN=(.*)$/a\/b\$$1/", BOB, "a/b$bob"),
    ("RULE:^CN=([a-z]+)(,X)?.*$/$1[$2]/", ALICE, "alice[]"),
    ("RULE:.*/x/", BOB, "xx"),
    ("RULE:.+/x/", BOB, "x"),
    ("RULE:^CN=(.*)$//", BOB, ""),
    (",DEFAULT,,", BOB, BOB),
    ("", BOB, BOB),
]
"""Rules, a name, and the user that SslPrincipalMapper of Kafka 4.3.1 makes of it (but for no rule at all)."""


@pytest.mark.parametrize(("rules", "name", "user"), KAFKA)
def test_rules_mean_what_they_mean_in_kafka(rules: str, name: str, user: str) -> None:
    assert PrincipalRules.parse(rules).user(name) == user


def test_a_name_that_no_rule_matches_has_no_user() -> None:
    with pytest.raises(NoRule, match="CN=bob"):
        PrincipalRules.parse("RULE:^CN=alice$/a/, RULE:bob/b/").user(BOB)


@pytest.mark.parametrize(
    "rules",
    [
        "NONSENSE",
        "RULE:a/b",
        "RULE:a/b/X",
        "RULE:(/x/",
        "RULE:^CN=bob/$1/",
        "RULE:(.*)/$/",
        "RULE:(.*)/${who}/",
        "default",
    ],
)
def test_rules_that_cannot_work_are_refused_at_once(rules: str) -> None:
    with pytest.raises(BadRules):
        PrincipalRules.parse(rules)


def in_case(text: str, case: str) -> str:
    return text.lower() if case == "L" else text.upper() if case == "U" else text


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\\/$,()[]{}.*+?^|\n"), max_size=10)


@given(st.lists(st.tuples(WORDS, WORDS, st.sampled_from(["", "L", "U"])), min_size=1, max_size=5), WORDS)
def test_the_first_rule_that_matches_the_whole_name_wins(rules: list[tuple[str, str, str]], name: str) -> None:
    """Patterns without special characters, judged by comparing texts."""
    text = ",".join(f"RULE:{re.escape(pattern)}/{user}/{case}" for pattern, user, case in rules)
    expected = next((in_case(user, case) for pattern, user, case in rules if pattern == name), None)
    parsed = PrincipalRules.parse(text)
    if expected is None:
        with pytest.raises(NoRule):
            parsed.user(name)
    else:
        assert parsed.user(name) == expected
    assert PrincipalRules.parse(text + ",DEFAULT").user(name) == (name if expected is None else expected)


@given(st.text(max_size=40))
def test_any_text_is_rules_or_is_refused(text: str) -> None:
    try:
        PrincipalRules.parse(text)
    except BadRules:
        assert text.strip()
