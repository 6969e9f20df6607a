"""Which pages this broker has."""

from collections.abc import Mapping
from typing import Protocol

from broker.transport.peers import Peer
from broker.web.health import Health
from broker.web.responder import Answer, Page, Refusal, WebRequest

CONTROL = ("reset", "wait-for-group", "wait-for-offset")


class WebSettings(Protocol):
    @property
    def barnabas_control_api(self) -> bool: ...


def pages(settings: WebSettings, health: Health, peer: Peer) -> Mapping[str, Page]:
    """By method and path. `peer` is this broker itself."""

    async def control(request: WebRequest) -> Answer:
        if not settings.barnabas_control_api:
            raise Refusal(403, "the control API is off; barnabas dev has it, and barnabas.control.api=true")
        from broker.web.control import Control  # a dozen messages that only tests ask for

        return await Control(peer).page(request)

    return {
        "GET /healthz": health.live,
        "GET /readyz": health.ready,
        **{f"POST /control/{name}": control for name in CONTROL},
    }
