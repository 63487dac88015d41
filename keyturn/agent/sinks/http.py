"""HTTP of the sinks: clients with their own certificate authorities, and credentials from files."""

import ssl
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

from keyturn.agent.sinks.delivery import SinkError

_TIMEOUT_SECONDS: Final = 10.0


def client(url: str, ca_file: str | None) -> httpx.AsyncClient:
    """Make a client for one attempt, which follows no redirect. The authorities are read each time, since
    they are replaced while the agent runs. Over http, which is to this machine, a proxy would see the secret.
    Raises SinkError."""
    encrypted = urlsplit(url).scheme == "https"
    try:
        verify = ssl.create_default_context(cafile=ca_file) if encrypted and ca_file else encrypted
    except (OSError, ssl.SSLError) as error:
        raise SinkError(f"ca_file {ca_file} cannot be used: {error.strerror or error}") from error
    return httpx.AsyncClient(
        timeout=_TIMEOUT_SECONDS, verify=verify, trust_env=encrypted, follow_redirects=False
    )


def read_credential(path: str) -> str:
    """Return what is in a file, for a header or a form. Raises SinkError, which has the path only."""
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SinkError(f"{path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        text = ""
    if not text:
        raise SinkError(f"{path} has no text")
    return text


def header(path: str) -> str:
    """Return what is in a file, one line of printable ASCII. Raises SinkError."""
    text = read_credential(path)
    if not (text.isascii() and text.isprintable()):
        raise SinkError(f"{path} is not one line of ASCII")
    return text


def refusal(answer: httpx.Response, what: str) -> SinkError:
    """Return the error for a response that is not a success. Its body may repeat the secret."""
    if answer.is_redirect:
        return SinkError(f"{what} answers {answer.status_code}: redirects are not followed")
    return SinkError(f"{what} answers {answer.status_code}")
