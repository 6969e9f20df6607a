"""From a certificate's owner to the name of a user: `ssl.principal.mapping.rules`.

`RULE:pattern/replacement/` with L or U behind it, `DEFAULT`, separated by commas; the first that matches the whole name
wins. Source: SslPrincipalMapper of Kafka 3.9; KIP-371.
"""

import re
from typing import Self

from kproto.values import frozen

_RULE = r"(DEFAULT)|RULE:((?:\\.|[^\\/])*)/((?:\\.|[^\\/])*)/([LU]?)"
_WORD = re.compile(rf"\s*(?:{_RULE}|)\s*(?:,|$)", re.DOTALL)
_JAVA_GROUP = re.compile(r"\(\?<(?=[A-Za-z])")
_REFERENCE = re.compile(r"\\(.)|\$\{([A-Za-z][A-Za-z0-9]*)\}|\$([0-9]+)", re.DOTALL)


class BadRules(ValueError):
    """The text is no list of rules; says where and why."""


class NoRule(ValueError):
    """No rule matches the name: there is no user to be."""


@frozen
class Rule:
    """`pattern` is None for DEFAULT: the name as it is."""

    pattern: re.Pattern[str] | None = None
    replacement: str = ""
    case: str = ""

    def apply(self, name: str) -> str | None:
        """The user's name; None if the rule does not match."""
        if self.pattern is None:
            return name
        if self.pattern.fullmatch(name) is None:
            return None
        user = self.pattern.sub(self._expanded, name)
        return user.lower() if self.case == "L" else user.upper() if self.case == "U" else user

    def _expanded(self, match: re.Match[str]) -> str:
        return _REFERENCE.sub(lambda reference: _meaning(reference, match), self.replacement)


@frozen
class PrincipalRules:
    """The rules of one listener."""

    rules: tuple[Rule, ...]
    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """No rule at all is DEFAULT. Raises: BadRules."""
        rules, at = [], 0
        written = text.strip()
        while at < len(written):
            word = _WORD.match(written, at)
            if word is None:
                raise BadRules(f"it is no list of RULE:pattern/replacement/[LU] and DEFAULT from {written[at:]!r} on")
            if word[1] is not None:
                rules.append(Rule())
            elif word[2] is not None:
                rules.append(_rule(word[2], word[3], word[4]))
            at = word.end()
        return cls(tuple(rules) or (Rule(),), written)

    def user(self, name: str) -> str:
        """Raises: NoRule."""
        for rule in self.rules:
            if (user := rule.apply(name)) is not None:
                return user
        raise NoRule(f"no rule of ssl.principal.mapping.rules={self.text} matches {name!r}")


def _rule(pattern: str, replacement: str, case: str) -> Rule:
    try:
        compiled = re.compile(_JAVA_GROUP.sub("(?P<", pattern))
        probe = Rule(compiled, replacement, case)
        _check(probe)
    except re.error as error:
        raise BadRules(f"the pattern {pattern!r} cannot be read: {error}") from None
    return probe


def _check(rule: Rule) -> None:
    """Raises: BadRules: the replacement names a group that the pattern does not have, or none."""
    assert rule.pattern is not None
    if "$" in _REFERENCE.sub("", rule.replacement):
        raise BadRules(f"in {rule.replacement!r} a $ names no group; a dollar itself is written \\$")
    for reference in _REFERENCE.finditer(rule.replacement):
        numbered, named = reference[3], reference[2]
        if named is not None and named not in rule.pattern.groupindex:
            raise BadRules(f"the pattern {rule.pattern.pattern!r} has no group {named!r}")
        if numbered is not None and not rule.pattern.groups and numbered[0] != "0":
            raise BadRules(f"the pattern {rule.pattern.pattern!r} has no groups, and ${numbered} asks for one")


def _meaning(reference: re.Match[str], match: re.Match[str]) -> str:
    """What stands for `\\x`, `${name}` or `$12`.

    Of the digits as many count as there are groups, the rest is text; so is a number that no group has.
    """
    literal, name, digits = reference.groups()
    if literal is not None:
        return str(literal)
    if name is not None:
        return match[name] or ""
    groups = len(match.groups())
    if int(digits[0]) > groups:
        return reference[0]
    used = 1
    while used < len(digits) and int(digits[: used + 1]) <= groups:
        used += 1
    return (match[int(digits[:used])] or "") + digits[used:]
