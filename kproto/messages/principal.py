"""Who is calling, as a broker hands it on inside an Envelope and as delegation tokens keep it."""

from kproto.schema import Message, message, wire


@message(versions=(0, 0), flexible=0)
class DefaultPrincipalData(Message):
    """Source: DefaultPrincipalData.json, Kafka 4.4."""

    type: str = wire("string")
    name: str = wire("string")
    token_authenticated: bool = wire("bool")
