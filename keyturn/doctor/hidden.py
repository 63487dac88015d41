"""Secrets of the settings, and texts without them. Pure.

What the doctor prints quotes drivers, servers and nodes. None of them should quote a secret; this makes sure.
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.secret import Secret

_SHORTEST: Final = 4
"""Characters of the shortest secret that is looked for: a shorter one would hide parts of words."""


def secrets_of(settings: CredentialsSettings) -> frozenset[str]:
    """Return every secret, and every element of one that is a list, also as it is written in a URL."""
    texts = [getattr(settings, name) for name in type(settings).model_fields]
    found = {text.get_secret_value() for text in texts if isinstance(text, SecretStr)}
    found |= {part for text in found for part in text.replace(",", " ").split()}
    urls = [settings.redis_url, settings.database_url]
    if settings.jwks_proxy is not None:
        urls.append(settings.jwks_proxy.get_secret_value())
    return frozenset(found).union(*map(passwords_in, urls))


def passwords_in(url: str) -> frozenset[str]:
    """Return the password of a URL, as it is written there and as it is meant."""
    userinfo, separator, _ = urlsplit(url).netloc.rpartition("@")
    password = userinfo.partition(":")[2] if separator else ""
    return frozenset({password, unquote(password)}) - {""}


def without(secrets: Iterable[str], text: str) -> str:
    """Return the text with each secret masked, the longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, Secret.MASK)
    return text
