"""Private keys from files: PEM, PKCS#12, JKS and JWK."""

from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.algorithms import ECDSA_ALGORITHMS, PrivateKey, PublicKey
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.keystores.limits import MAX_FILE_BYTES
from keyturn_shared.keystores.magic import JCEKS_MAGIC, JKS_MAGIC

_DER_SEQUENCE: Final = b"\x30"
_ALGORITHM_OF_CURVE: Final = {each.curve.name: each.name for each in ECDSA_ALGORITHMS}


class KeyFileError(KeyturnError):
    """A file with a private key cannot be used; ``detail`` names it, and never quotes it."""

    code = "key_file"


def load_key(
    path: Path,
    *,
    password: str | None = None,
    key_password: str | None = None,
    algorithm: str | None = None,
    kid: str | None = None,
    alias: str | None = None,
) -> SigningKey:
    """Load a private key from PEM, PKCS#12, JKS or a JWK (RFC 7517).

    ``password``: of an encrypted PEM file, or of an archive. ``key_password``: of the key in the archive, by
    default the archive's. ``algorithm``: by default the JWK's, RS256 for RSA, that of the curve for ECDSA,
    EdDSA for Ed25519. ``kid``: by default the JWK's or the thumbprint (RFC 7638). ``alias``: of the key in
    the archive; needed if it has several. Raises KeyFileError.
    """
    content = _read(path)
    try:
        if content.lstrip().startswith(b"{"):
            key = SigningKey.from_private_jwk(content)
            if algorithm not in (None, key.algorithm) or kid not in (None, key.kid):
                raise KeyFileError(f"{path} is a JWK, which has its own alg and kid")
            return key
        if _is_archive(path, content):
            from keyturn.client.key_archives import key_in_archive  # only who has an archive needs it

            private = key_in_archive(content, password=password, key_password=key_password, alias=alias)
        else:
            private = _from_pem(path, content, None if password is None else password.encode())
        alg = default_algorithm(private) if isinstance(private, PrivateKey) else None
        if not isinstance(private, PrivateKey) or alg is None:
            raise KeyFileError(f"{path} has a key for which there is no signature algorithm")
        return SigningKey(private, algorithm or alg, kid=kid)
    except KeyFileError:
        raise
    except KeyturnError as error:
        raise KeyFileError(f"{path}: {error.detail}") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        told = "without a password" if password is None else "with this password"
        raise KeyFileError(f"{path} cannot be read {told} as PEM, PKCS#12, JKS or a JWK") from None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(content) > MAX_FILE_BYTES:
        raise KeyFileError(f"{path} is longer than {MAX_FILE_BYTES} bytes")
    return content


def _is_archive(path: Path, content: bytes) -> bool:
    """Return whether it is PKCS#12 or JKS. Raises KeyFileError for JCEKS."""
    if content.startswith(JCEKS_MAGIC):
        raise KeyFileError(
            f"{path} is JCEKS, and neither PKCS#12 nor JKS: convert it with keytool -importkeystore "
            f"-srckeystore {path} -srcstoretype JCEKS -destkeystore {path.with_suffix('.p12')} "
            "-deststoretype PKCS12"
        )
    return content.startswith((_DER_SEQUENCE, JKS_MAGIC))


def _from_pem(path: Path, content: bytes, password: bytes | None) -> object:
    try:
        return load_pem_private_key(content, password)
    except TypeError:  # whether there is a password is known before the key is read
        told = "is encrypted" if password is None else "is not encrypted, but a password is given"
        raise KeyFileError(f"{path} {told}") from None


def default_algorithm(key: PrivateKey | PublicKey) -> str | None:
    """Return the usual algorithm of a key; None for a curve without one."""
    match key:
        case rsa.RSAPrivateKey() | rsa.RSAPublicKey():
            return "RS256"
        case ed25519.Ed25519PrivateKey() | ed25519.Ed25519PublicKey():
            return "EdDSA"
    return _ALGORITHM_OF_CURVE.get(key.curve.name)
