"""How servers prove who they are."""

import ssl
from pathlib import Path

from keyturn_shared.errors import ConfigurationError


def client_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """Certificate and name are verified, always, by TLS 1.2 or newer. ``ca_file``: PEM of private authorities
    that count beside the system's. Raises ConfigurationError when it cannot be used."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            reason = getattr(error, "strerror", None) or "it holds no certificates in PEM"
            raise ConfigurationError(f"the CA file {ca_file}: {reason}") from error
    return context
