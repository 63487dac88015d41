"""The commands of ``keyturn jwks``."""

from pathlib import Path
from typing import Annotated, Final

import typer

app: Final = typer.Typer(
    help="Inspect and refresh clients' JWKS URLs.", no_args_is_help=True, rich_markup_mode=None
)

_DataDir = Annotated[
    Path,
    typer.Option(
        help="Data directory of the local stack whose Redis is read, unless KEYTURN_REDIS_URL is set."
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command()
def inspect(
    url: Annotated[str, typer.Argument(help="The JWKS URL, exactly as it is set on the clients.")],
    realm: Annotated[str | None, typer.Option(help="A realm with its own allowed networks.")] = None,
    data_dir: _DataDir = Path(".keyturn"),
    as_json: _Json = False,
) -> None:
    """Show a URL's keys, age, next poll and failures. Exits with 1 if the URL fails or is unknown."""
    from keyturn.jwks.client import run_inspect

    raise typer.Exit(run_inspect(url, realm, data_dir, as_json=as_json))


@app.command()
def refresh(
    client: Annotated[str, typer.Argument(help="The client id.")],
    realm: Annotated[str, typer.Option(help="The client's realm.")] = "master",
    data_dir: _DataDir = Path(".keyturn"),
    as_json: _Json = False,
    seconds: Annotated[
        float, typer.Option(min=0.1, max=300, help="How long to wait for the fetch, in seconds.")
    ] = 20.0,
) -> None:
    """Have the fleet fetch a client's JWKS URL now and show the result. Exits with 1 if it has no keys."""
    from keyturn.jwks.client import run_refresh

    raise typer.Exit(run_refresh(client, realm, data_dir, as_json=as_json, seconds=seconds))
