"""A damaged token is refused, or is still the same token."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from keyturn_shared.jose.compact import UnverifiedToken, parse_compact
from keyturn_shared.jose.errors import JoseError
from keyturn_shared.jose.key_set import KeySet
from tests.unit.shared.jose.scene import accept, accept_with_secret, header_with, key_set, signed, signing_key

ALGS = ("RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA")
KIDS = {"PS256": "RS256"}
TOKENS = [signed(header_with(alg=alg, kid=KIDS.get(alg, alg)), alg=alg) for alg in ALGS]
_tokens = st.sampled_from(TOKENS)


def _refused_or_unchanged(token: bytes, mutant: bytes) -> None:
    try:
        accepted = accept(mutant)
    except JoseError:
        return
    assert mutant == token
    assert accepted == parse_compact(token)


@settings(deadline=None, max_examples=400)
@given(_tokens, st.data())
def test_an_octet_replaced(token: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(token) - 1))
    octet = data.draw(st.binary(min_size=1, max_size=1))
    _refused_or_unchanged(token, token[:place] + octet + token[place + 1 :])


@settings(deadline=None)
@given(_tokens, st.data())
def test_octets_cut_out_or_put_in(token: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(token)))
    end = data.draw(st.integers(start, min(len(token), start + 4)))
    inserted = data.draw(st.binary(max_size=4) | st.text("AQgw.-_=", max_size=4).map(str.encode))
    _refused_or_unchanged(token, token[:start] + inserted + token[end:])


@settings(deadline=None)
@given(st.permutations(range(3)), st.tuples(_tokens, _tokens, _tokens))
def test_segments_of_several_tokens_in_any_order(
    order: list[int], tokens: tuple[bytes, bytes, bytes]
) -> None:
    """Only the three of one token, in their order, are accepted."""
    mutant = b".".join(token.split(b".")[place] for place, token in zip(order, tokens, strict=True))
    try:
        accept(mutant)
    except JoseError:
        return
    assert mutant in TOKENS


@settings(deadline=None, max_examples=300)
@given(
    st.binary(max_size=80)
    | st.text(max_size=80).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.text("eyJhbGciOiJFUzI1NiJ9.-_=", max_size=80).map(str.encode)
)
@example(b"\xff.\xff.\xff")
@example(b"e30.e30.")
def test_the_parser_raises_nothing_but_jose_errors(token: bytes) -> None:
    """Any octets; as text too."""
    for form in (token, token.decode("latin-1")):
        try:
            assert isinstance(parse_compact(form), UnverifiedToken)
        except JoseError:
            continue


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_names = ("alg", "kid", "typ", "crit", "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "x")


@settings(deadline=None, max_examples=300)
@given(
    st.dictionaries(st.sampled_from(_names), _json, max_size=6),
    st.dictionaries(st.sampled_from(_names), _json, max_size=6),
    st.booleans(),
)
def test_any_header_and_claims_end_in_a_verdict(
    header: dict[str, object], claims: dict[str, object], plausible: bool
) -> None:
    """They are signed as they are, and accepted or refused by a JoseError, with asymmetric keys and with a
    secret."""
    if plausible:
        header = {**header, "alg": "EdDSA", "kid": "EdDSA"}
    token = signed(header, claims, alg="EdDSA") if _encodable(header, claims) else b""
    for way in (accept, accept_with_secret):
        try:
            way(token)
        except JoseError:
            continue


def _encodable(*values: object) -> bool:
    try:
        for value in values:
            str(value).encode()
    except UnicodeEncodeError:
        return False
    return True


_members = st.sampled_from(("kty", "crv", "n", "e", "x", "y", "kid", "alg", "use", "key_ops", "x5c", "ext"))


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(ALGS), st.dictionaries(_members, _json | st.text("AQ-_", max_size=12), max_size=4))
def test_any_jwk_is_a_key_or_skipped(alg: str, changes: dict[str, object]) -> None:
    """Some members of a valid JWK are replaced by anything."""
    keys = KeySet.from_members({"keys": [{**signing_key(alg).public_jwk, **changes}]})
    assert len(keys.keys) + len(keys.skipped) == 1


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_any_signature_but_the_signers_is_refused(signature: bytes) -> None:
    """For every algorithm, of any length."""
    for key in key_set().keys:
        for algorithm in key.algorithms:
            try:
                key.verify(algorithm, signature, b"signing input")
            except JoseError:
                continue
            raise AssertionError(f"{algorithm.name} accepted {signature.hex()}")
