"""`barnabas.http.listener`: addresses of which the first that is free is taken."""

from broker.config.problems import OperatorError


def http_addresses(text: str | None) -> list[tuple[str, int]]:
    """Hosts and ports of `127.0.0.1:9644,127.0.0.1:0`; none where it is not set. Raises: OperatorError."""
    return [_address(each.strip()) for each in (text or "").split(",") if each.strip()]


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise OperatorError(
            f"barnabas.http.listener: {text!r} is no address.",
            "It is written HOST:PORT; port 0 takes a free one.",
            "Write for example 127.0.0.1:9644, or remove it for no health checks over HTTP.",
        )
    return host.removeprefix("[").removesuffix("]"), int(port)
