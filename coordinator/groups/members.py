"""The members of one group: their ids, the protocols that they have in common, and whom the group waits for."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from coordinator.groups.events import Join, Protocol
from kproto.errors import ApiError, ErrorCode
from kproto.messages.internal_topics import MemberMetadata


@dataclass(slots=True)
class Member:
    """One member. `joining`, `syncing`: whom to answer once its JoinGroup, its SyncGroup is decided; None: nobody.

    `is_new`: it has not been through a rebalance yet, so it cannot have sent a heartbeat.
    """

    id: str
    instance_id: str | None
    client_id: str
    client_host: str
    session_timeout_ms: int
    rebalance_timeout_ms: int
    protocols: tuple[Protocol, ...]
    assignment: bytes = b""
    joining: object = None
    syncing: object = None
    is_new: bool = False

    @classmethod
    def of(cls, join: Join, member_id: str) -> "Member":
        return cls(
            member_id,
            join.instance_id,
            join.client_id,
            join.client_host,
            join.session_timeout_ms,
            join.rebalance_timeout_ms,
            join.protocols,
            joining=join.reply_to,
            is_new=True,
        )

    @classmethod
    def read(cls, record: MemberMetadata, protocol: str) -> "Member":
        """As the log has it: of its protocols only the one that was chosen. Old records have no rebalance timeout."""
        rebalance_ms = record.session_timeout if record.rebalance_timeout < 0 else record.rebalance_timeout
        return cls(
            record.member_id,
            record.group_instance_id,
            record.client_id,
            record.client_host,
            record.session_timeout,
            rebalance_ms,
            ((protocol, record.subscription),),
            record.assignment,
        )

    def record(self, protocol: str, assignment: bytes) -> MemberMetadata:
        return MemberMetadata(
            member_id=self.id,
            group_instance_id=self.instance_id,
            client_id=self.client_id,
            client_host=self.client_host,
            rebalance_timeout=self.rebalance_timeout_ms,
            session_timeout=self.session_timeout_ms,
            subscription=self.metadata(protocol),
            assignment=assignment,
        )

    def rejoin(self, join: Join) -> None:
        """Take over what its new JoinGroup says."""
        self.protocols = join.protocols
        self.session_timeout_ms = join.session_timeout_ms
        self.rebalance_timeout_ms = join.rebalance_timeout_ms
        self.joining = join.reply_to

    def metadata(self, protocol: str) -> bytes:
        return next((metadata for name, metadata in self.protocols if name == protocol), b"")


@dataclass(slots=True)
class Members:
    """All members in the order they came, and the ids that were `invited`: given out, not yet seen again."""

    by_id: dict[str, Member] = field(default_factory=dict)
    by_instance: dict[str, Member] = field(default_factory=dict)
    invited: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self.by_id)

    def __iter__(self) -> Iterator[Member]:
        return iter(self.by_id.values())

    def known(self, member_id: str, instance_id: str | None = None) -> Member:
        """The member that asks.

        Raises: ApiError: UNKNOWN_MEMBER_ID, or FENCED_INSTANCE_ID: another process has its instance id now.
        """
        if instance_id is not None and instance_id in self.by_instance:
            if self.by_instance[instance_id].id != member_id:
                raise ApiError(ErrorCode.FENCED_INSTANCE_ID)
        elif instance_id is not None or member_id not in self.by_id:
            raise ApiError(ErrorCode.UNKNOWN_MEMBER_ID)
        return self.by_id[member_id]

    def add(self, member: Member) -> None:
        self.invited.discard(member.id)
        self.by_id[member.id] = member
        if member.instance_id is not None:
            self.by_instance[member.instance_id] = member

    def remove(self, member: Member) -> None:
        del self.by_id[member.id]
        if member.instance_id is not None:
            del self.by_instance[member.instance_id]

    def take(self, records: list[MemberMetadata], protocol: str) -> None:
        """Exactly these are members now; who is here already keeps what a record lacks: who waits, other protocols."""
        here, self.by_id, self.by_instance = self.by_id, {}, {}
        for record in records:
            member = here.get(record.member_id) or Member.read(record, protocol)
            member.assignment = record.assignment
            self.add(member)

    @property
    def joined(self) -> list[Member]:
        """Those who wait for the next generation."""
        return [member for member in self if member.joining is not None]

    @property
    def have_all_joined(self) -> bool:
        return not self.invited and all(member.joining is not None for member in self)

    @property
    def rebalance_timeout_ms(self) -> int:
        """How long the slowest of them may take to join again."""
        return max((member.rebalance_timeout_ms for member in self), default=0)

    def in_common(self) -> set[str]:
        """Names of the protocols that every member supports; at least one member is here."""
        return set.intersection(*({name for name, _ in member.protocols} for member in self))

    def vote(self) -> str:
        """The protocol that most members like best among those that all support; a tie goes to who came first."""
        candidates = self.in_common()
        votes = Counter(next(name for name, _ in member.protocols if name in candidates) for member in self)
        return votes.most_common(1)[0][0]
