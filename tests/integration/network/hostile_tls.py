"""Servers that fail to authenticate."""

import asyncio
import ssl
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.integration.network.hostile_servers import GOOD_BODY, answer
from tests.testkit.certificates import DAY, Issued, issue, make_authority

AUTHORITY = make_authority("CN=Private authority")
_STRANGER = make_authority("CN=Authority nobody trusts")
_HERE = (x509.IPAddress(ip_address("127.0.0.1")),)
_SERVER = (ExtendedKeyUsageOID.SERVER_AUTH,)


async def serve_keys(writer: asyncio.StreamWriter) -> None:
    """Send a valid answer, which must not be accepted."""
    writer.write(answer("200 OK", "Content-Type: application/json", body=GOOD_BODY))
    await writer.drain()


@dataclass(frozen=True)
class HostileTls:
    """``context``: of the server, created in a directory."""

    attack: str
    reason: str
    context: Callable[[Path], ssl.SSLContext]


def server_context(directory: Path, issued: Issued, *more: Issued) -> ssl.SSLContext:
    chain, key = directory / "chain.pem", directory / "key.pem"
    chain.write_bytes(b"".join(each.pem for each in (issued, *more)))
    key.write_bytes(issued.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(chain, key)
    return context


def good(directory: Path) -> ssl.SSLContext:
    return server_context(directory, issue(AUTHORITY, "CN=127.0.0.1", names=_HERE, usages=_SERVER))


def _certified(attack: str, issued: Callable[[], Issued]) -> HostileTls:
    return HostileTls(attack, "tls_failed", lambda directory: server_context(directory, issued()))


def _old(version: ssl.TLSVersion) -> Callable[[Path], ssl.SSLContext]:
    def context(directory: Path) -> ssl.SSLContext:
        made = good(directory)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # it is obsolete on purpose
            made.minimum_version = version
            made.maximum_version = version
        return made

    return context


def _weak() -> Issued:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    return issue(AUTHORITY, "CN=127.0.0.1", names=_HERE, usages=_SERVER, key=key)


HOSTILE_TLS = (
    _certified("certificate signed by itself", lambda: issue(None, names=_HERE, usages=_SERVER)),
    _certified(
        "certificate of an untrusted authority", lambda: issue(_STRANGER, names=_HERE, usages=_SERVER)
    ),
    _certified(
        "certificate that has expired",
        lambda: issue(AUTHORITY, names=_HERE, usages=_SERVER, begins=-2 * DAY, ends=-timedelta(minutes=1)),
    ),
    _certified(
        "certificate that is not valid yet",
        lambda: issue(AUTHORITY, names=_HERE, usages=_SERVER, begins=timedelta(hours=1)),
    ),
    _certified(
        "certificate of another host",
        lambda: issue(AUTHORITY, names=(x509.DNSName("other.example"),), usages=_SERVER),
    ),
    _certified(
        "certificate with the host as common name only",
        lambda: issue(AUTHORITY, "CN=127.0.0.1", usages=_SERVER),
    ),
    _certified("certificate for clients", lambda: issue(AUTHORITY, names=_HERE)),
    _certified(
        "certificate whose issuer is not an authority",
        lambda: issue(issue(AUTHORITY, "CN=leaf", names=_HERE), names=_HERE, usages=_SERVER),
    ),
    _certified("RSA key of 1024 bits", _weak),
    HostileTls("TLS 1.0", "tls_failed", _old(ssl.TLSVersion.TLSv1)),
    HostileTls("TLS 1.1", "tls_failed", _old(ssl.TLSVersion.TLSv1_1)),
)
