"""The TLS context of outgoing connections."""

import ssl
from functools import cache
from pathlib import Path

from keyturn_shared.errors import ConfigurationError


def client_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """Make a context that always verifies certificate and name, with TLS 1.2 or newer. ``ca_file``: PEM of
    private authorities, in addition to the system's. Raises ConfigurationError if unusable."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            reason = getattr(error, "strerror", None) or "it contains no PEM certificates"
            raise ConfigurationError(f"the CA file {ca_file}: {reason}") from error
    return context


@cache
def system_context() -> ssl.SSLContext:
    """Return the context that trusts the system's authorities alone. It is one for the whole process, since
    reading them takes long; do not change it."""
    return client_context()


def context_for(ca_file: Path | None) -> ssl.SSLContext:
    """Return a context that is not to be changed; see ``client_context``."""
    return system_context() if ca_file is None else client_context(ca_file)
