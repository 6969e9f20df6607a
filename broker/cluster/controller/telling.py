"""Who is told what: each broker of its own replicas, then all brokers of the change."""

from collections.abc import Collection, Sequence

from broker.cluster.controller.events import Effect, Send
from broker.cluster.controller.requests import FULL, Requests
from broker.cluster.controller.state import ClusterState, Row, Topic


class Teller:
    """Requests for the brokers that are alive now."""

    def __init__(self, cluster: ClusterState, requests: Requests) -> None:
        self._cluster = cluster
        self._requests = requests

    def introduce(self, broker_id: int) -> list[Effect]:
        """All that a broker must know when it comes: its replicas, then everybody's."""
        broker = self._cluster.brokers.get(broker_id)
        if broker is None:
            return []
        held = [row for row in self._cluster.rows() if broker_id in row.partition.replicas]
        return [
            Send(broker_id, self._requests.leader_and_isr(broker, held, type=FULL)),
            Send(broker_id, self._requests.update_metadata(broker, self._cluster.rows(), type=FULL)),
        ]

    def tell(self, rows: Sequence[Row], *, new: bool) -> list[Effect]:
        """These partitions have another state now. `new`: they had none before."""
        if not rows:
            return []
        effects: list[Effect] = []
        for broker in self._cluster.brokers.values():
            held = [row for row in rows if broker.id in self._cluster.online(row.partition)]
            if held:
                effects.append(Send(broker.id, self._requests.leader_and_isr(broker, held, new=new)))
        return [*effects, *self.tell_all(rows)]

    def tell_all(self, rows: Sequence[Row], *, but: Collection[int] = ()) -> list[Effect]:
        """The metadata of these partitions, and who is alive."""
        return [
            Send(broker.id, self._requests.update_metadata(broker, rows))
            for broker in self._cluster.brokers.values()
            if broker.id not in but
        ]

    def gone(self, topic: Topic) -> list[Effect]:
        """There is no such topic any more: nobody leads it, but the files stay."""
        rows = [Row(topic, index) for index in topic.partitions]
        effects: list[Effect] = []
        for broker in self._cluster.brokers.values():
            effects.append(Send(broker.id, self._requests.update_metadata(broker, rows, deleted=topic)))
            if any(broker.id in row.partition.replicas for row in rows):
                effects.append(Send(broker.id, self._requests.stop_replica(broker, topic, delete=False)))
        return effects
