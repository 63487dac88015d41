"""Access tokens by client_credentials, with a secret or a private key."""

import base64
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, quote_plus

from cryptography.hazmat.primitives.serialization import load_pem_private_key

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.profiles import Profile
from keyturn.admin_cli.servers import Server, refusal
from keyturn.client.key_files import default_algorithm
from keyturn.local import local_file
from keyturn.local.data_directory import DataDirectory
from keyturn.local.errors import StackError
from keyturn.local.local_file import LocalStack
from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.algorithms import PrivateKey
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.secret import Secret

_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523 2.2
_ASSERTION_SECONDS: Final = 30
_MAX_FILE_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Token:
    """``expires_at``: NumericDate."""

    text: str
    expires_at: float

    def __repr__(self) -> str:
        return f"Token(expires_at={self.expires_at})"


def get_token(
    server: Server,
    profile: Profile,
    credential: Secret | SigningKey,
    now: Callable[[], float] = time.time,
) -> Token:
    """Sign in. Raises CommandError."""
    realm = f"/realms/{quote(profile.realm, safe='')}"
    form = {"grant_type": "client_credentials"}
    headers = {}
    if isinstance(credential, Secret):
        headers["Authorization"] = basic(profile.client_id, credential)
    else:
        form |= _assertion(credential, profile.client_id, _issuer(server, realm), int(now()))
    received = server.send("POST", f"{realm}/protocol/openid-connect/token", data=form, headers=headers)
    if received.status != 200:
        help_ = ""
        if profile.data_dir is not None and received.status == 401:
            help_ = (
                ". If the secret in the data directory is not the client's any more, give it a new one:"
                f" keyturn admin recover --data-dir {profile.data_dir}"
            )
        raise CommandError(
            f"{profile.client_id} cannot sign in to realm {profile.realm}: {refusal(received)}{help_}",
            ExitCode.NOT_ALLOWED,
        )
    body: Any = received.json("the token endpoint")
    try:
        text, seconds = body["access_token"], int(body.get("expires_in", 0))
    except (KeyError, TypeError, ValueError, AttributeError):
        text, seconds = None, 0
    if not isinstance(text, str) or not text.isascii():
        raise CommandError("the token endpoint sent no access token; is this the URL of keyturn?")
    return Token(text, now() + seconds)


def read_secret(path: Path, *, may_be_empty: bool = False) -> Secret:
    """Read a secret from a file; one line end after it is not part of it. Raises CommandError."""
    text = _read(path).decode("utf-8", errors="replace")
    return clean_secret(text, str(path), may_be_empty=may_be_empty)


def clean_secret(text: str, source: str, *, may_be_empty: bool = False) -> Secret:
    """Return a secret without the line end after it. Raises CommandError if nothing is left, unless it
    ``may_be_empty``."""
    text = text.removesuffix("\n").removesuffix("\r")
    if not text and not may_be_empty:
        raise CommandError(f"{source} contains no secret", ExitCode.USAGE)
    return Secret(text)


def read_key(path: Path, key_id: str | None) -> SigningKey:
    """Read a private key: a JWK with ``alg``, or PEM. Raises CommandError, which never quotes the file."""
    text = _read(path)
    try:
        if text.lstrip().startswith(b"{"):
            return SigningKey.from_private_jwk(text)
        key = load_pem_private_key(text, password=None)
        if isinstance(key, PrivateKey) and (alg := default_algorithm(key)) is not None:
            return SigningKey(key, alg, kid=key_id)
    except (KeyturnError, ValueError, TypeError):
        pass
    raise CommandError(
        f"{path} is not a private key: a JWK with alg, or PEM without a password", ExitCode.USAGE
    )


def credential_from_files(profile: Profile) -> Secret | SigningKey | None:
    """Return the credential that the profile's files have; None if it names none. Raises CommandError."""
    if profile.data_dir is not None:
        return Secret(local_stack(Path(profile.data_dir)).admin.client_secret)
    if profile.secret_file is not None:
        return read_secret(Path(profile.secret_file))
    if profile.key_file is not None:
        return read_key(Path(profile.key_file), profile.key_id)
    return None


def local_stack(data_dir: Path) -> LocalStack:
    """Return the local stack that runs in a data directory. Raises CommandError."""
    try:
        found = local_file.read(DataDirectory(data_dir).local_file)
    except StackError as error:
        raise CommandError(error.detail) from error
    if found is None:
        raise CommandError(f"no stack is running in {data_dir}", ExitCode.UNREACHABLE)
    return found


def _issuer(server: Server, realm: str) -> str:
    """Return the realm's issuer, the audience of assertions: its URL may differ from the one called."""
    metadata: Any = server.send("GET", f"{realm}/.well-known/openid-configuration").json("discovery")
    issuer = metadata.get("issuer") if isinstance(metadata, dict) else None
    if not isinstance(issuer, str):
        raise CommandError("the realm's discovery document is missing; check the URL and the realm")
    return issuer


def basic(client_id: str, secret: Secret) -> str:
    """Return the Authorization field of client_secret_basic (RFC 6749 section 2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret.reveal())}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _assertion(key: SigningKey, client_id: str, audience: str, now: int) -> dict[str, str]:
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": str(uuid.uuid4()),
        "iat": now,
        "exp": now + _ASSERTION_SECONDS,
    }
    signed = key.sign_compact(key.header_segment(), claims)
    return {"client_assertion_type": _ASSERTION_TYPE, "client_assertion": signed}


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}", ExitCode.USAGE) from error
    if len(text) > _MAX_FILE_BYTES:
        raise CommandError(f"{path} is longer than {_MAX_FILE_BYTES} bytes", ExitCode.USAGE)
    return text
