"""Metadata and bundles that issuers publish."""

import json
from typing import Any

import pytest

from keyturn_shared.jose.errors import InvalidKeySetError
from keyturn_verifier.key_sets.documents import MAX_METADATA_BYTES, jwks_uri_of, read_bundle
from keyturn_verifier.key_sets.download import DownloadError
from tests.unit.verifier.key_sets.builders import make_key

ISSUER = "https://token.actions.githubusercontent.com"
METADATA = {
    "issuer": ISSUER,
    "jwks_uri": f"{ISSUER}/.well-known/jwks",
    "subject_types_supported": ["public", "pairwise"],
    "id_token_signing_alg_values_supported": ["RS256"],
}


def metadata(**changes: Any) -> bytes:
    members = {**METADATA, **changes}
    return json.dumps({name: value for name, value in members.items() if value is not None}).encode()


def test_metadata_of_the_issuer_names_the_url_of_its_keys() -> None:
    assert jwks_uri_of(metadata(), ISSUER) == f"{ISSUER}/.well-known/jwks"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (metadata(issuer=f"{ISSUER}/"), "issuer_mismatch"),
        (metadata(issuer=ISSUER.upper()), "issuer_mismatch"),
        (metadata(issuer="https://token.actions.githubusercontent.com.evil.example"), "issuer_mismatch"),
        (metadata(issuer=[ISSUER]), "issuer_mismatch"),
        (metadata(issuer=None), "issuer_mismatch"),
        (metadata(jwks_uri=None), "metadata_invalid"),
        (metadata(jwks_uri=["https://a.example/jwks"]), "metadata_invalid"),
        (b"<html>", "metadata_invalid"),
        (b"[]", "metadata_invalid"),
        (metadata()[:-1] + b', "issuer": "https://evil.example"}', "metadata_invalid"),
        (metadata(padding="x" * MAX_METADATA_BYTES), "metadata_invalid"),
    ],
)
def test_other_metadata_names_no_keys(body: bytes, reason: str) -> None:
    with pytest.raises(DownloadError) as refused:
        jwks_uri_of(body, ISSUER)
    assert refused.value.reason == reason


def bundle(*keys: dict[str, Any]) -> bytes:
    return json.dumps({"keys": keys, "spiffe_sequence": 12, "spiffe_refresh_hint": 300}).encode()


def jwk(kid: str, use: str | None) -> dict[str, Any]:
    members = {name: value for name, value in make_key(kid).public_jwk.items() if name != "use"}
    return members if use is None else {**members, "use": use}


def test_a_bundle_has_the_keys_of_jwt_svids() -> None:
    """Authorities of X.509-SVIDs are in it too, and so may be keys without a use, which are to be ignored."""
    body = bundle(
        jwk("a", "jwt-svid"), jwk("b", "x509-svid"), jwk("c", None), jwk("d", "sig"), jwk("e", "enc")
    )
    keys = read_bundle(body, max_bytes=100_000, max_keys=10)
    assert [key.kid for key in keys.keys] == ["a", "d"]
    assert [skipped.reason.value for skipped in keys.skipped] == ["not_for_signatures"] * 3


@pytest.mark.parametrize(
    "body",
    [
        b"no JSON",
        b"{}",
        bundle(*(jwk(str(number), "jwt-svid") for number in range(11))),
        bundle({**jwk("a", "jwt-svid"), "d": "AAAA"}),
        bundle(jwk("a", "jwt-svid")) + b" " * 100_000,
    ],
)
def test_a_bundle_is_read_as_strictly_as_a_key_set(body: bytes) -> None:
    with pytest.raises(InvalidKeySetError):
        read_bundle(body, max_bytes=100_000, max_keys=10)


def test_a_member_that_is_no_key_is_skipped() -> None:
    body = json.dumps({"keys": ["a", None, jwk("k", "jwt-svid")]}).encode()
    assert [key.kid for key in read_bundle(body, max_bytes=100_000, max_keys=10).keys] == ["k"]
