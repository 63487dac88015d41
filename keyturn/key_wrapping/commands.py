"""The commands of ``keyturn key-wrapping``. They print wrapped keys, and never a plain one."""

import sys
from typing import Annotated, Final

import typer

from keyturn.wrapped_keys.ring_names import Ring

app: Final = typer.Typer(
    help="Wrap the keys of KEYTURN_ENCRYPTION_KEYS and KEYTURN_FLEET_KEYS under a key that never leaves its"
    " device.",
    no_args_is_help=True,
)

_RingArgument = Annotated[Ring, typer.Argument(help="The ring that the key is for.")]
_Kek = Annotated[str, typer.Option("--kek", help="Label of the key encryption key in the token.")]


@app.command("new-kek")
def new_kek(
    label: Annotated[str, typer.Argument(help="Label of the key; no other key of the token has it.")],
) -> None:
    """Generate a key encryption key in the token that KEYTURN_PKCS11_* name, and print its id."""
    from keyturn.key_wrapping.making import print_new_kek
    from keyturn.services import run_configured

    sys.exit(run_configured(lambda: print_new_kek(label)))


@app.command()
def new(ring: _RingArgument, kek: _Kek) -> None:
    """Generate a key of a ring in the token, and print it wrapped. It has no plain copy: without the key
    encryption key, it is lost."""
    from keyturn.key_wrapping.making import print_new_key
    from keyturn.services import run_configured

    sys.exit(run_configured(lambda: print_new_key(ring, kek)))


@app.command()
def wrap(ring: _RingArgument, kek: _Kek) -> None:
    """Print a ring with all its keys wrapped under one key encryption key, in the same order.

    Reads KEYTURN_ENCRYPTION_KEYS or KEYTURN_FLEET_KEYS. Plain keys are wrapped, keys wrapped under another
    key of the token are rewrapped. Nothing is printed unless all of them unwrap again.
    """
    from keyturn.key_wrapping.making import print_wrapped_ring
    from keyturn.services import run_configured

    sys.exit(run_configured(lambda: print_wrapped_ring(ring, kek)))


@app.command()
def show(ring: _RingArgument) -> None:
    """Print the ids of a ring's keys, and of the key encryption keys that wrap them. No device is used."""
    from keyturn.key_wrapping.making import print_ring
    from keyturn.services import run_configured

    sys.exit(run_configured(lambda: print_ring(ring)))
