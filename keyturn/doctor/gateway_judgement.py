"""Judgement of the answers at the public URL. Pure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from keyturn.doctor.diagnoses import callers
from keyturn.doctor.findings import Finding
from keyturn.doctor.times import ago, span
from keyturn.terminal_text import counted

SOON_SECONDS: Final = 14 * 86_400.0
_UNAVAILABLE: Final = frozenset({502, 503, 504})


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of HTTP. ``body``: the parsed JSON, None if it is none."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def member(self, name: str) -> Any:
        return self.body.get(name) if isinstance(self.body, dict) else None

    def __str__(self) -> str:
        error = self.member("error")
        return f"{self.status} ({str(error)[:80]})" if error else str(self.status)


def judge_certificate(ends_at: float, now: float) -> Iterator[Finding]:
    """Yield a finding if the gateway's TLS certificate ends soon. Times are NumericDate seconds."""
    left = ends_at - now
    if left <= SOON_SECONDS:
        found = f"it ended {ago(-left)}" if left <= 0 else f"it ends in {span(left)}"
        yield Finding(callers.GATEWAY_CERTIFICATE_ENDING, f"the TLS certificate of the public URL: {found}")


def judge_discovery(answer: Answer, issuer: str) -> Iterator[Finding]:
    told = answer.member("issuer")
    if answer.status != 200 or told != issuer:
        found = f"the issuer {str(told)[:200]}" if isinstance(told, str) else f"the answer {answer}"
        yield Finding(callers.GATEWAY_ISSUER_WRONG, f"discovery of {issuer}: {found}")


def judge_token_endpoint(token: Answer, verify: Answer) -> Iterator[Finding]:
    """Yield a finding unless a verifier answers. ``token``: to a request without ``grant_type``. ``verify``:
    of an endpoint that only verifiers have; a gateway may keep it from callers."""
    if token.status != 400 or token.member("error") != "invalid_request":
        yield Finding(callers.GATEWAY_TOKEN_ROUTE, f"the token endpoint answers {token}")
    elif verify.status == 404 and verify.member("code") is not None:
        yield Finding(
            callers.GATEWAY_TOKEN_ROUTE, "the credentials service answers for a realm other than master"
        )


def judge_key_set(answer: Answer, kids: Collection[str]) -> Iterator[Finding]:
    """Yield a finding unless the JWK Set has the keys that sign for the realm's clients. ``kids``: of these
    keys."""
    keys = answer.member("keys")
    told = {key.get("kid") for key in keys if isinstance(key, dict)} if isinstance(keys, list) else set()
    if answer.status != 200 or not told.issuperset(kids):
        missing = ", ".join(sorted(set(kids) - told)) or "none"
        yield Finding(
            callers.GATEWAY_KEY_SET_WRONG,
            f"the key set: answer {answer}, {counted(len(told), 'key')}, missing: {missing}",
        )


def judge_rotation(answer: Answer) -> Iterator[Finding]:
    """Yield a finding unless the credentials service answers. ``answer``: to a GET, which it refuses."""
    if answer.status != 405 or answer.headers.get("allow") != "POST":
        yield Finding(
            callers.GATEWAY_ROTATION_ROUTE, f"/realms/{{realm}}/rotation answers {answer}{_who(answer)}"
        )


def judge_admin(answer: Answer) -> Iterator[Finding]:
    """Yield a finding unless the credentials service answers. ``answer``: to a request without a token."""
    if answer.status != 401 or answer.member("code") != "missing_token":
        yield Finding(callers.GATEWAY_ADMIN_ROUTE, f"/admin/realms answers {answer}{_who(answer)}")


def judge_forged_certificate(plain: Answer, forged: Answer) -> Iterator[Finding]:
    """Yield a finding if a header with something that is no certificate makes a difference: then it got
    through, and is believed. ``plain``: to the same request without it."""
    if (
        plain.status < 500
        and forged.status < 500
        and (plain.status, plain.body) != (forged.status, forged.body)
    ):
        yield Finding(
            callers.GATEWAY_PASSES_CERTIFICATES,
            f"a certificate header of a caller reaches the token endpoint: {forged} instead of {plain}",
        )


def judge_forged_address(before: float, after: float) -> Iterator[Finding]:
    """Yield a finding if the nodes counted malformed ``X-Forwarded-For`` after this machine sent one."""
    if after > before:
        yield Finding(
            callers.GATEWAY_PASSES_ADDRESSES,
            "an X-Forwarded-For of a caller reaches the nodes, and is believed",
        )


def judge_health(answer: Answer) -> Iterator[Finding]:
    """Yield what the credentials service says of itself. A gateway need not pass ``/health/ready`` on."""
    if answer.status == 503 and answer.member("status") == "not_ready":
        yield Finding(callers.CREDENTIALS_NOT_READY, _reasons(answer.member("reasons")))
    elif answer.status == 200 and answer.member("degraded"):
        yield Finding(callers.CREDENTIALS_DEGRADED, _reasons(answer.member("degraded")))


def _reasons(told: Any) -> str:
    if not isinstance(told, dict):
        return "it gives no reason"
    return "; ".join(f"{str(part)[:40]}: {str(reason)[:300]}" for part, reason in told.items())


def _who(answer: Answer) -> str:
    if answer.status in _UNAVAILABLE:
        return ": the service behind it is not available"
    if answer.status == 404 and answer.body == {"error": "Not Found"}:
        return ": a verifier node answers"
    return ""
