"""The commands. They print only the keys, for use in scripts."""

import sys
from typing import Final

import typer

app: Final = typer.Typer(help="Manage the keys that sign events and projections.", no_args_is_help=True)


@app.command()
def new() -> None:
    """Print a new private key for KEYTURN_LOG_SIGNING_KEYS of the credentials service."""
    from keyturn_shared.signed_log.keys import LogSigningKeys

    typer.echo(LogSigningKeys.generate_key())


@app.command()
def public() -> None:
    """Print the public halves of the log's keys, for KEYTURN_LOG_VERIFICATION_KEYS of its readers. Reads the
    private keys from KEYTURN_LOG_SIGNING_KEYS, or derives them from KEYTURN_FLEET_KEYS if that is unset."""
    from keyturn.log_keys.public import print_public_keys
    from keyturn.services import run_configured

    sys.exit(run_configured(print_public_keys))
