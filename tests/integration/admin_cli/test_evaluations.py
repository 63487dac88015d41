"""``keyturn clients evaluate`` says whether a client would get a token, and ends with 1 if not."""

from pathlib import Path

from tests.testkit.nodes import good_claims
from tests.testkit.program import Program
from tests.testkit.secret_signing import sign_with_secret

WRONG = "a wrong secret that is long enough"


def test_a_secret_is_tested_from_a_file(signed_in: Program, tmp_path: Path) -> None:
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    signed_in.ok("clients", "create", "tested", "--secret-to", str(right))
    wrong.write_text(f"{WRONG}\n")
    accepted = signed_in.ok("clients", "evaluate", "tested", "--secret-file", str(right))
    assert "It would be accepted." in accepted.out
    assert '"client_id": "tested"' in accepted.out
    assert right.read_text().strip() not in accepted.out
    refused = signed_in.run("clients", "evaluate", "tested", "--secret-file", str(wrong))
    assert refused.code == 1
    assert "It would be refused: wrong_secret. After a rotation" in refused.out
    assert WRONG not in refused.out + refused.err


def test_without_a_file_the_token_is_shown(signed_in: Program) -> None:
    signed_in.ok("clients", "create", "previewed", "-a", "keyturn.audiences=https://a,https://b")
    found = signed_in.ok("clients", "evaluate", "previewed", "--audience", "https://a", "--json").out
    assert '"aud": "https://a"' in found
    both = signed_in.run(
        *("clients", "evaluate", "previewed", "--audience", "https://a", "--resource", "https://b", "--json")
    ).json
    assert sorted(both["token"]["claims"]["aud"]) == ["https://a", "https://b"]
    scope = signed_in.run("clients", "evaluate", "previewed", "--scope", "no-such-scope")
    assert scope.code == 1
    assert "invalid_scope" in scope.out


def test_assertions_and_tokens_are_tested_from_files(signed_in: Program, tmp_path: Path) -> None:
    secret, assertion, token = (tmp_path / name for name in ("secret", "assertion", "token"))
    authenticator = ("--authenticator", "client-secret-jwt")
    signed_in.ok("clients", "create", "signs", *authenticator, "--secret-to", str(secret))
    claims = good_claims("signs", "https://elsewhere")
    assertion.write_text(sign_with_secret(secret.read_text().strip(), "HS256", claims) + "\n")
    refused = signed_in.run("clients", "evaluate", "signs", "--assertion-file", str(assertion))
    assert refused.code == 1
    assert "wrong_audience" in refused.out
    token.write_text("not-a-token\n")
    refused = signed_in.run("clients", "evaluate", "signs", "--token-file", str(token))
    assert refused.code == 1
    assert "malformed" in refused.out
    both = ("--token-file", str(token), "--assertion-file", str(assertion))
    wrong_use = signed_in.run("clients", "evaluate", "signs", *both)
    assert (wrong_use.code, "use one of" in wrong_use.err) == (2, True)
    missing = signed_in.run("clients", "evaluate", "signs", "--token-file", str(tmp_path / "nothing"))
    assert missing.code == 2
