"""Private keys from files: PEM, PKCS#12 and JWK."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12

from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.algorithms import ECDSA_ALGORITHMS, PrivateKey
from keyturn_shared.jose.signing import SigningKey

_MAX_FILE_BYTES: Final = 1024 * 1024
_JAVA_MAGIC: Final = (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce")
"""Of JKS and JCEKS."""
_DER_SEQUENCE: Final = b"\x30"
_ALGORITHM_OF_CURVE: Final = {each.curve.name: each.name for each in ECDSA_ALGORITHMS}


class KeyFileError(KeyturnError):
    """A file with a private key cannot be used; ``detail`` names it, and never quotes it."""

    code = "key_file"


def load_key(
    path: Path,
    *,
    password: str | None = None,
    algorithm: str | None = None,
    kid: str | None = None,
    alias: str | None = None,
) -> SigningKey:
    """Load a private key from PEM, PKCS#12 or a JWK (RFC 7517).

    ``password``: of an encrypted PEM file or a PKCS#12 archive. ``algorithm``: by default the JWK's, RS256
    for RSA, that of the curve for ECDSA, EdDSA for Ed25519. ``kid``: by default the JWK's or the thumbprint
    (RFC 7638). ``alias``: the name that the key must have in the archive. Raises KeyFileError.
    """
    content = _read(path)
    try:
        if content.lstrip().startswith(b"{"):
            key = SigningKey.from_private_jwk(content)
            if algorithm not in (None, key.algorithm) or kid not in (None, key.kid):
                raise KeyFileError(f"{path} is a JWK, which has its own alg and kid")
            return key
        octets = None if password is None else password.encode()
        if _is_archive(path, content):
            private = _from_archive(path, content, octets, alias)
        else:
            private = _from_pem(path, content, octets)
        alg = default_algorithm(private) if isinstance(private, PrivateKey) else None
        if not isinstance(private, PrivateKey) or alg is None:
            raise KeyFileError(f"{path} has a key for which there is no signature algorithm")
        return SigningKey(private, algorithm or alg, kid=kid)
    except KeyFileError:
        raise
    except KeyturnError as error:
        raise KeyFileError(f"{path}: {error.detail}") from None
    except (ValueError, TypeError):
        told = "without a password" if password is None else "with this password"
        raise KeyFileError(f"{path} cannot be read {told} as PEM, PKCS#12 or a JWK") from None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(content) > _MAX_FILE_BYTES:
        raise KeyFileError(f"{path} is longer than {_MAX_FILE_BYTES} bytes")
    return content


def _is_archive(path: Path, content: bytes) -> bool:
    """Return whether it is PKCS#12. Raises KeyFileError for Java's own formats."""
    if content.startswith(_JAVA_MAGIC):
        raise KeyFileError(
            f"{path} is a Java keystore, and not PKCS#12: convert it with keytool -importkeystore "
            f"-srckeystore {path} -destkeystore {path.with_suffix('.p12')} -deststoretype PKCS12"
        )
    return content.startswith(_DER_SEQUENCE)


def _from_pem(path: Path, content: bytes, password: bytes | None) -> object:
    try:
        return load_pem_private_key(content, password)
    except TypeError:  # whether there is a password is known before the key is read
        told = "is encrypted" if password is None else "is not encrypted, but a password is given"
        raise KeyFileError(f"{path} {told}") from None


def _from_archive(path: Path, content: bytes, password: bytes | None, alias: str | None) -> object:
    found = pkcs12.load_pkcs12(content, password)
    if found.key is None:
        raise KeyFileError(f"{path} has no private key")
    names = list(_names(found))
    if alias is not None and alias.lower() not in names:  # keytool writes aliases in lower case
        raise KeyFileError(
            f"{path}: its first key is {names[0] if names else 'without a name'}, and not {alias}: copy that "
            f"one into a file of its own with keytool -importkeystore -srckeystore {path} -srcalias {alias} "
            f"-destkeystore {alias}.p12 -deststoretype PKCS12"
        )
    return found.key


def _names(found: pkcs12.PKCS12KeyAndCertificates) -> Iterator[str]:
    if found.cert is not None and found.cert.friendly_name:
        yield found.cert.friendly_name.decode(errors="replace").lower()


def default_algorithm(key: PrivateKey) -> str | None:
    """Return the usual algorithm of a key; None for a curve without one."""
    match key:
        case rsa.RSAPrivateKey():
            return "RS256"
        case ed25519.Ed25519PrivateKey():
            return "EdDSA"
    return _ALGORITHM_OF_CURVE.get(key.curve.name)
