"""Parts of a path, as both makers need them."""


def parent_of(path: str) -> str:
    """`/a` for `/a/b`, and for a sequential `/a/`; `/` for `/a`."""
    return path[: path.rindex("/")] or "/"


def ancestors_of(path: str) -> list[str]:
    """Every node above this one from the top, without the root: `/a`, `/a/b` for `/a/b/c`."""
    parts = path.split("/")[1:-1]
    return ["/" + "/".join(parts[: index + 1]) for index in range(len(parts))]


def check_path(path: str, *, sequential: bool = False) -> None:
    """Raises: ValueError: not a path that a node can have (a sequential one may end with a slash)."""
    body = path[:-1] if sequential and len(path) > 1 and path.endswith("/") else path
    if not body.startswith("/") or "\0" in body or (body != "/" and not all(body[1:].split("/"))):
        raise ValueError(f"not the path of a node: {path!r}")
    if any(part in (".", "..") for part in body.split("/")):
        raise ValueError(f"not the path of a node: {path!r}")
