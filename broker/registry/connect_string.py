"""`zookeeper.connect`: servers divided by commas, and at the end, once, the path below which everything lies."""

from typing import Self

from broker.config.problems import OperatorError
from broker.registry.paths import check_path
from kproto.values import frozen

DEFAULT_PORT = 2181


@frozen
class ConnectString:
    """`chroot` is empty, or begins with a slash and does not end with one."""

    servers: tuple[tuple[str, int], ...]
    chroot: str

    @property
    def hosts(self) -> str:
        """Without the chroot, as kazoo reads it."""
        return ",".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.servers)

    def __str__(self) -> str:
        return self.hosts + self.chroot

    @classmethod
    def parse(cls, text: str) -> Self:
        """`h1:2181,h2/kafka`: the port may be left out, an IPv6 address stands in brackets.

        Raises: OperatorError.
        """
        servers, slash, path = text.strip().partition("/")
        chroot = f"/{path.strip('/')}" if slash and path.strip("/") else ""
        try:
            if chroot:
                _check_chroot(chroot)
            return cls(tuple(_server(each.strip()) for each in servers.split(",")), chroot)
        except ValueError as error:
            raise OperatorError(
                f"zookeeper.connect={text} is not a list of ZooKeeper servers",
                str(error),
                "Write host1:2181,host2:2181,host3:2181/path; the path is optional and stands once, at the end.",
            ) from error


def _check_chroot(chroot: str) -> None:
    check_path(chroot)
    if "," in chroot:
        raise ValueError(f"the path {chroot} holds a comma: there are servers behind it, or it stands there twice")


def _server(text: str) -> tuple[str, int]:
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
    else:
        host, _, port = text.partition(":")
    if not host or " " in host:
        raise ValueError(f"no host in {text!r}" if text else "there is an empty entry")
    if not port:
        return host, DEFAULT_PORT
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"{port!r} in {text!r} is not a port")
    return host, int(port)
