"""Which partitions a fetch looks at, and which of them it tells of: all that it names, or what changed in its session.

A full fetch (epoch 0 or -1) ends the session that it names; with epoch 0 it begins one. An incremental fetch says what
it asks anew and what no more.  Source: KIP-227.
"""

from collections.abc import Iterable, Iterator

from broker.cluster.authorizer import Operation, Resource
from broker.handlers.fetch_asker import Asker
from broker.handlers.fetch_row import Row
from broker.handlers.topic_rows import BY_ID_SINCE
from broker.partitions.fetch_session import FINAL_EPOCH, INITIAL_EPOCH, FetchSession, SessionWaiter, Watch
from broker.purgatory import ByteWaiter
from broker.requests.context import Context
from kproto.messages.fetch import FetchableTopicResponse, FetchRequest, FetchResponse, FetchTopic, PartitionData


class FullReader:
    """Looks at all that the request names, and tells of all."""

    def __init__(self, request: FetchRequest, ctx: Context) -> None:
        self._request = request
        self._asker = asker = Asker(request, ctx)
        self._rows = [Row(asker, topic, asked) for topic in request.topics for asked in topic.partitions]

    def rows(self) -> list[Row]:
        self._asker.look_anew()
        return self._rows

    def waiter(self, missing: int) -> ByteWaiter:
        return watching(self._rows, ByteWaiter(missing))

    def answer(self) -> FetchResponse:
        answers = [row.answer() for row in self._rows]
        response = response_of(zip((row.topic for row in self._rows), answers, strict=True))
        if self._request.session_epoch == INITIAL_EPOCH:
            response.session_id = self._begin_session(answers)
        return response

    def _begin_session(self, told: list[PartitionData]) -> int:
        """Its id; 0 if there is no slot for it."""
        ctx = self._asker.ctx
        follower = self._asker.is_replica and ctx.allowed(Operation.CLUSTER_ACTION, Resource.cluster())
        session = ctx.rooms.fetch_sessions.open(len(told), privileged=follower, by_id=names_by_id(ctx))
        if session is None:
            return 0
        for watch, data in zip(take_in(session, self._request), told, strict=True):
            watch.has_news(data)
        return session.id


class SessionReader:
    """Looks at what is dirty in the session, and tells of what has news."""

    def __init__(self, request: FetchRequest, session: FetchSession, ctx: Context) -> None:
        self._asker = Asker(request, ctx)
        self._session = session
        self._epoch = session.go_on()
        self._looked_at: list[tuple[Watch, Row]] = []

    def rows(self) -> list[Row]:
        """Raises: ApiError: the session is closed, or has gone on without this fetch."""
        self._session.must_stand(self._epoch)
        self._asker.look_anew()
        watches = self._session.to_look_at()
        self._looked_at = [(watch, Row(self._asker, watch.topic, watch.asked)) for watch in watches]
        return [row for _, row in self._looked_at]

    def waiter(self, missing: int) -> ByteWaiter:
        return watching((row for _, row in self._looked_at), SessionWaiter(self._session, missing))

    def answer(self) -> FetchResponse:
        """Raises: ApiError, as `rows`."""
        self._session.must_stand(self._epoch)
        response = response_of(self._news())
        response.session_id = self._session.id
        return response

    def _news(self) -> Iterator[tuple[FetchTopic, PartitionData]]:
        for watch, row in self._looked_at:
            if row.exhausted:
                watch.stand_in(row.rooms)
            elif row.found:
                self._session.answered_with_data(watch)
            data = row.answer()
            if watch.has_news(data):
                yield watch.topic, data
            else:
                row.release()


def reader_of(request: FetchRequest, ctx: Context) -> FullReader | SessionReader:
    """Raises: ApiError: no such session, not its next epoch, or names where it has ids."""
    sessions = ctx.rooms.fetch_sessions
    if request.session_epoch in (INITIAL_EPOCH, FINAL_EPOCH):
        sessions.close(request.session_id)
        return FullReader(request, ctx)
    session = sessions.find(request.session_id, request.session_epoch, by_id=names_by_id(ctx))
    take_in(session, request)
    if not len(session):
        sessions.close(session.id)
        return FullReader(request, ctx)
    sessions.used(session)
    return SessionReader(request, session, ctx)


def take_in(session: FetchSession, request: FetchRequest) -> list[Watch]:
    """What the request asks anew, its watches in that order, and what it asks no more."""
    watches = []
    for topic in request.topics:
        name = FetchTopic(topic=topic.topic, topic_id=topic.topic_id)
        watches += [session.ask(name, asked) for asked in topic.partitions]
    for forgotten in request.forgotten_topics_data:
        for partition in forgotten.partitions:
            session.forget(forgotten.topic, forgotten.topic_id, partition)
    return watches


def names_by_id(ctx: Context) -> bool:
    return ctx.version >= BY_ID_SINCE


def watching(rows: Iterable[Row], waiter: ByteWaiter) -> ByteWaiter:
    """Woken also when one of these grows or changes, or has done so while a neighbour was read from the disk."""
    for row in rows:
        waiter.watch(row.rooms)
        if row.moved:
            waiter.wake()
    return waiter


def response_of(answers: Iterable[tuple[FetchTopic, PartitionData]]) -> FetchResponse:
    """In this order; neighbours of one topic stand together."""
    response = FetchResponse()
    last: FetchTopic | None = None
    for topic, data in answers:
        if topic is not last:
            if last is None or (topic.topic, topic.topic_id) != (last.topic, last.topic_id):
                response.responses.append(FetchableTopicResponse(topic=topic.topic, topic_id=topic.topic_id))
            last = topic
        response.responses[-1].partitions.append(data)
    return response
