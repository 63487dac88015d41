"""Signatures of access tokens, counted as they are checked."""

import pytest

from keyturn_shared.jose.compact import UnverifiedToken
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.jose.verify import verify_with_key_set
from keyturn_shared.oauth.tokens import verification


def count_signatures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows by the kid of each access token whose signature is checked."""
    checked: list[str] = []

    def counted(token: UnverifiedToken, keys: KeySet) -> VerificationKey:
        checked.append(str(token.header.kid))
        return verify_with_key_set(token, keys)

    monkeypatch.setattr(verification, "verify_with_key_set", counted)
    return checked
