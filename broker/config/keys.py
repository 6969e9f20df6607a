"""One line per option: the descriptor that carries a name, its type, default, range and meaning.

Parsing, DescribeConfigs, topic overrides, warnings and the manual all read these lines.
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, ClassVar, Generic, NoReturn, Self, TypeVar, overload

from broker.config.checks import Check
from broker.config.kinds import Kind

T = TypeVar("T")


class Update(Enum):
    """When a value may change: fixed at start, per broker, or for the whole cluster (and per broker)."""

    AT_START = auto()
    PER_BROKER = auto()
    CLUSTER = auto()


class Standing(Enum):
    """What setting the name does here."""

    WORKS = auto()
    NO_EFFECT = auto()  # known, checked, described; a warning at start says that nothing follows from it


ONE_LOOP = "the broker is one process with one event loop"
JAVA = "classes of Java cannot be loaded here"
NO_REPLICATION = "replication between brokers is not built yet"
NO_TIER = "remote storage is not built yet"
"""Reasons that several options share for having no effect."""

AT_START, PER_BROKER, CLUSTER = Update.AT_START, Update.PER_BROKER, Update.CLUSTER
WORKS, NO_EFFECT = Standing.WORKS, Standing.NO_EFFECT


class BadValue(ValueError):
    """The text is no value of this option; `allowed` completes "must be …"."""

    def __init__(self, name: str, text: str, allowed: str) -> None:
        super().__init__(f"{name} is {text!r}; it must be {allowed}")
        self.name = name
        self.text = text
        self.allowed = allowed


class Key(Generic[T]):
    """An option. On the class it is this object; on an instance it is the value, typed.

    Args:
        name: Kafka's name, case-sensitive. The attribute is the name with dots as underscores.
        kind: how its text is read.
        default: the value while nobody sets it; None where Kafka has null.
        check: range beyond what the kind allows.
        update: when it may change.
        standing: whether it does something here; not where `because` is said.
        because: why it does nothing here, as words that follow "no effect in this broker:"; without it what the
            group of options says as NO_EFFECT_BECAUSE.
        hidden: DescribeConfigs does not show it, as in Kafka.
        doc: meaning in one sentence.
    """

    def __init__(
        self,
        name: str,
        kind: Kind[T],
        default: T,
        *,
        check: Check | None = None,
        update: Update = AT_START,
        standing: Standing = WORKS,
        because: str = "",
        hidden: bool = False,
        doc: str,
    ) -> None:
        self.name = name
        self.attribute = name.replace(".", "_")
        self.kind = kind
        self.default = default
        self.check = check
        self.update = update
        self.standing = NO_EFFECT if because else standing
        self.because = because
        self.hidden = hidden
        self.broker_key: Key[Any] | None = None  # on a topic option: whose value holds without an override
        self.doc = doc

    def __set_name__(self, owner: "type[Settings]", name: str) -> None:
        if owner.NOTHING_WORKS:
            self.standing = NO_EFFECT
        if self.standing is NO_EFFECT:
            self.because = self.because or owner.NO_EFFECT_BECAUSE

    @overload
    def __get__(self, settings: None, owner: type) -> Self: ...
    @overload
    def __get__(self, settings: "Settings", owner: type) -> T: ...
    def __get__(self, settings: "Settings | None", owner: type) -> Self | T:
        # Only reached on the class: an instance holds every value in its __dict__, which wins.
        return self if settings is None else self.default

    def parse(self, text: str) -> T:
        """The value that `text` means. Raises BadValue with the allowed range."""
        text = text.strip()
        try:
            value = self.kind.parse(text)
        except ValueError:
            raise BadValue(self.name, text, self.allowed) from None
        if self.check is not None and not self.check.holds(value):
            raise BadValue(self.name, text, self.allowed)
        return value

    def show(self, value: object) -> str | None:
        """Text of a value as Kafka writes it; None for null."""
        return None if value is None else self.kind.show(value)

    @property
    def allowed(self) -> str:
        """What may be written, as words that follow "must be"."""
        if self.check is None:
            return self.kind.allowed
        return (
            f"a whole number, {self.check.allowed}"
            if self.kind.name in ("int", "long", "short")
            else self.check.allowed
        )

    @property
    def documentation(self) -> str:
        """What DescribeConfigs 3 and later answer: the meaning, and whether it has one here."""
        return self.doc if self.standing is WORKS else f"{self.doc} No effect in this broker: {self.because}."

    @property
    def secret(self) -> bool:
        return self.kind.name == "password"

    def for_topics(self, name: str, *, check: Check | None = None) -> "Key[T]":
        """The topic option that falls back to this broker option, with a range of its own if given."""
        key = Key(
            name,
            self.kind,
            self.default,
            check=check or self.check,
            update=CLUSTER,
            standing=self.standing,
            because=self.because,
            doc=self.doc,
        )
        key.broker_key = self
        return key


class TimeKey(Key[int]):
    """A number of milliseconds that coarser names stand in for while it is not set.

    Args:
        stand_ins: option names in the order Kafka asks them, each with its unit in milliseconds.

    Its own default is null as in Kafka; the attribute is the number that counts after asking the stand-ins.
    """

    def __init__(
        self,
        name: str,
        kind: Kind[int],
        *,
        stand_ins: Mapping[str, int],
        update: Update = AT_START,
        standing: Standing = WORKS,
        because: str = "",
        doc: str,
    ) -> None:
        super().__init__(name, kind, -1, update=update, standing=standing, because=because, doc=doc)
        self.default: Any = None
        self.stand_ins = dict(stand_ins)

    def resolve(self, values: Mapping[str, int | None]) -> int:
        """The number that counts: its own value, else the first stand-in that has one; negative means never."""
        own = values[self.name]
        if own is not None:
            return own
        asked = ((values[name], unit_ms) for name, unit_ms in self.stand_ins.items())
        number, unit_ms = next((number, unit) for number, unit in asked if number is not None)
        return -1 if number < 0 else number * unit_ms


class Settings:
    """A set of options with their values. Subclasses declare the options; values never change in place."""

    KEYS: ClassVar[dict[str, Key[Any]]] = {}
    NO_EFFECT_BECAUSE: ClassVar[str] = ""
    """Why options of this group have no effect, where an option does not say it itself."""
    NOTHING_WORKS: ClassVar[bool] = False
    """Not one of this group has an effect."""

    def __init_subclass__(cls) -> None:
        found = [value for ancestor in reversed(cls.__mro__) for value in vars(ancestor).values()]
        cls.KEYS = {key.name: key for key in found if isinstance(key, Key)}

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"settings are read only: {name}")
