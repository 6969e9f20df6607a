"""What a bare `barnabas` says once it listens."""

from collections.abc import Sequence

from barnabas import __version__


def banner(bootstrap: str, data: str, containers: str | None = None) -> list[str]:
    """Where it is, where data lies, how to stop, what to try; one more line for containers.

    Args: bootstrap: `localhost:9092`; data: a directory, or `memory`.
    """
    short = ".".join(__version__.split(".")[:2])
    kept = "data in memory only" if data == "memory" else f"data in {data}"
    lines = [f"Barnabas {short} · Kafka at {bootstrap} · {kept} · Ctrl-C stops"]
    if containers is not None:
        lines.append(f"  containers: {containers}")
    return [*lines, "  try:  " + "     ".join(_tries(bootstrap))]


def _tries(bootstrap: str) -> Sequence[str]:
    """The default address needs no option."""
    where = "" if bootstrap == "localhost:9092" else f" --bootstrap-server {bootstrap}"
    return [f"barnabas produce hello{where}", f"barnabas consume hello{where}"]
