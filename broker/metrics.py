"""Plain counters, added to where something happens and read by whoever tells of them. A leaf: any room may count.

A count is one attribute, so that counting costs next to nothing; names and labels are given to it when somebody asks.
"""

from kproto.api_keys import ApiKey

TIME_BUCKETS = 64
"""Requests that took less than 1, 2, 4 … microseconds: more buckets than any time needs, so that nobody checks."""


class TopicCounts:
    """Of one topic, since this broker started. A request counts once for each partition that it names."""

    __slots__ = (
        "bytes_in",
        "bytes_out",
        "failed_fetch_requests",
        "failed_produce_requests",
        "fetch_requests",
        "messages_in",
        "produce_requests",
    )

    def __init__(self) -> None:
        for name in self.__slots__:
            setattr(self, name, 0)

    bytes_in: int
    bytes_out: int
    failed_fetch_requests: int
    failed_produce_requests: int
    fetch_requests: int
    messages_in: int
    produce_requests: int

    def add(self, other: "TopicCounts") -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class ApiCounts:
    """Of one API: requests by version, errors of whole requests by name, and how long they took, waiting included."""

    __slots__ = ("buckets", "errors", "seconds", "versions")

    def __init__(self, newest_version: int) -> None:
        self.versions = [0] * (newest_version + 1)
        self.errors: dict[str, int] = {}
        self.seconds = 0.0
        self.buckets = [0] * TIME_BUCKETS
        """Number n: took less than 2**n microseconds, and at least half of that."""

    def note(self, version: int, seconds: float) -> None:
        self.versions[version] += 1
        self.seconds += seconds
        self.buckets[int(seconds * 1_000_000).bit_length()] += 1

    def note_error(self, name: str) -> None:
        self.errors[name] = self.errors.get(name, 0) + 1


class Metrics:
    """All counts of one broker."""

    def __init__(self) -> None:
        self.topics: dict[str, TopicCounts] = {}
        self.gone = TopicCounts()
        """Those of topics that were deleted, so that sums never fall."""
        self.apis: dict[ApiKey, ApiCounts] = {}

    def topic(self, name: str) -> TopicCounts:
        return self.topics.setdefault(name, TopicCounts())

    def forget_topic(self, name: str) -> None:
        gone = self.topics.pop(name, None)
        if gone is not None:
            self.gone.add(gone)

    def api(self, key: ApiKey, newest_version: int) -> ApiCounts:
        return self.apis.setdefault(key, ApiCounts(newest_version))
