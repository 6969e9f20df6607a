"""Which pages this broker has."""

from collections.abc import Mapping

from broker.requests.rooms import Rooms
from broker.transport.peers import Peer
from broker.web.health import Health
from broker.web.metrics_page import MetricsPage
from broker.web.responder import Answer, Page, Refusal, WebRequest

CONTROL = ("reset", "wait-for-group", "wait-for-offset")


def pages(rooms: Rooms, health: Health, peer: Peer) -> Mapping[str, Page]:
    """By method and path. `peer` is this broker itself."""

    async def control(request: WebRequest) -> Answer:
        if not rooms.settings.barnabas_control_api:
            raise Refusal(403, "the control API is off; barnabas dev has it, and barnabas.control.api=true")
        from broker.web.control import Control  # a dozen messages that only tests ask for

        return await Control(peer).page(request)

    return {
        "GET /healthz": health.live,
        "GET /metrics": MetricsPage(rooms).page,
        "GET /readyz": health.ready,
        **{f"POST /control/{name}": control for name in CONTROL},
    }
