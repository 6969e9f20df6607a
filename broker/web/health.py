"""Whether this broker lives, and whether it serves."""

from collections.abc import Iterator

from broker.cluster.image import Image
from broker.registry.contract import Registry, SessionState
from broker.web.responder import Answer, WebRequest, json_answer

NO_CONTROLLER = -1


class Health:
    """`live` answers as soon as the loop does. `ready` names what is missing.

    `serving` is set by the broker: its listeners are open, and it is not about to stop.
    """

    def __init__(self, broker_id: int, image: Image, registry: Registry) -> None:
        self.serving = False
        self._broker_id = broker_id
        self._image = image
        self._registry = registry

    async def live(self, request: WebRequest) -> Answer:
        return Answer(b"ok\n")

    async def ready(self, request: WebRequest) -> Answer:
        """200 if nothing is missing, else 503."""
        missing = list(self._missing())
        return json_answer({"ready": not missing, "missing": missing}, 503 if missing else 200)

    def _missing(self) -> Iterator[str]:
        if not self.serving:
            yield "listeners"
        if self._registry.state is not SessionState.CONNECTED:
            yield "registry session"
        if self._broker_id not in self._image.brokers:
            yield "registration"
        if self._image.controller_id == NO_CONTROLLER:
            yield "controller"
