"""`barnabas options`: the manual of all options of brokers and topics; needs no cluster."""

import click

from broker.config.manual import find, names, page
from broker.config.problems import OperatorError
from broker.config.unknown_names import RENAMED, hint


@click.command()
@click.argument("asked", metavar="[NAME]…", nargs=-1)
@click.option("--markdown", is_flag=True, help="Print the whole manual as Markdown.")
def options(asked: tuple[str, ...], markdown: bool) -> None:
    """Explain options of server.properties and of topics; without a NAME, list the names."""
    if markdown:
        click.echo(page(), nl=False)
    elif asked:
        click.echo("\n".join(told(name) for name in asked), nl=False)
    else:
        click.echo("\n".join(names()))


def told(name: str) -> str:
    """What the manual says of one option. Raises: OperatorError."""
    entries = list(find(name))
    if not entries:
        meant = f"It is called {RENAMED[name]} since 0.8." if name in RENAMED else hint(name, names())
        raise OperatorError(f"{name} is not an option.", meant or "No option has a similar name.", "barnabas options")
    return "\n".join(entries)
