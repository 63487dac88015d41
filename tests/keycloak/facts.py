"""The facts of an answer that are compared: a flat table, without values that must vary."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any, Final

import httpx

Facts = dict[str, Any]

_HEADERS: Final = ("location", "cache-control", "www-authenticate", "allow")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME: Final = re.compile(r"(^|[._])(exp|iat|nbf|auth_time|validTo|time|createdTimestamp|not-before-policy)$")
_DER: Final = re.compile(r"^MI[A-Za-z0-9+/=\s]{80,}$")
_RANDOM: Final = re.compile(r"(^|\.)(jti|kid|x5t|x5t#S256|n|x|y|signature|trace|sid)$")
_NAMING: Final = ("clientId", "realm", "name", "alias", "id", "kid", "type", "config")
_ROUNDED: Final = 10
"""Seconds: what remains of a lifespan may be less by the time of the answer."""
_ARCHIVES: Final = {b"\xfe\xed\xfe\xed": "JKS", b"0\x82": "PKCS12"}


def facts_of(response: httpx.Response, known: Mapping[str, str]) -> Facts:
    """Return what is compared. ``known``: values that vary by their names, such as ids."""
    found: Facts = {"status": response.status_code}
    content_type = response.headers.get("content-type", "")
    found["content-type"] = content_type.partition(";")[0].strip().lower()
    for name in _HEADERS:
        if name in response.headers:
            found[name] = _normal_header(name, response.headers[name], known)
    found |= _body(response, known)
    return found


def _normal_header(name: str, value: str, known: Mapping[str, str]) -> str:
    if name in ("cache-control", "allow"):
        return ", ".join(sorted(part.strip().lower() for part in value.split(",")))
    return normal_text(value, known)


def _body(response: httpx.Response, known: Mapping[str, str]) -> Facts:
    if not response.content:
        return {"body": "empty"}
    for magic, kind in _ARCHIVES.items():
        if response.content.startswith(magic):
            return {"body": f"a {kind} archive"}
    try:
        value = json.loads(response.content)
    except ValueError:
        return {"body": normal_text(response.text, known)}
    return flat("body", value, known)


def flat(place: str, value: Any, known: Mapping[str, str]) -> Facts:
    """Return every scalar below ``value``, by its place: members by name, entries of a list by the name that
    they have, other lists sorted."""
    if isinstance(value, dict):
        found: Facts = {} if value else {place: "{}"}
        for name, each in value.items():
            inner = f"{place}.{normal_text(name, known)}"
            found |= flat(inner, each, known)
            if name == "access_token" and isinstance(each, str) and each.count(".") == 2:
                found[inner] = "a JWT"
                found |= token_facts(each, known)
        return found
    if isinstance(value, list):
        if value and all(isinstance(each, dict) for each in value):
            found = {f"{place}.names": sorted(_name(each, known) for each in value)}
            for each in value:
                found |= flat(f"{place}[{_name(each, known)}]", each, known)
            return found
        return {place: sorted(normal(place, each, known) for each in value)}
    return {place: normal(place, value, known)}


def token_facts(text: str, known: Mapping[str, str]) -> Facts:
    """Return the header and claims of a JWT. Times are relative to ``iat``."""
    header, claims = (_decoded(part) for part in text.split(".")[:2])
    issued = claims.get("iat", 0)
    for name in ("exp", "nbf", "iat"):
        if name in claims:
            claims[name] = f"iat + {claims[name] - issued}"
    claims = {f"{name}_": each for name, each in claims.items() if name in ("exp", "nbf", "iat")} | {
        name: each for name, each in claims.items() if name not in ("exp", "nbf", "iat")
    }
    return flat("token.header", header, known) | flat("token.claims", claims, known)


def _decoded(part: str) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return decoded


def _name(entry: dict[str, Any], known: Mapping[str, str]) -> str:
    naming = next((member for member in _NAMING if isinstance(entry.get(member), str)), None)
    return normal(naming, entry[naming], known) if naming else "?"


def normal(place: str, value: Any, known: Mapping[str, str]) -> Any:
    """Return a scalar without what must vary; the words of a scope sorted, as it is a set."""
    if place.rpartition(".")[2] == "scope" and isinstance(value, str):
        return " ".join(sorted(value.split()))
    if _TIME.search(place) and str(value).lstrip("-").isdigit():
        return "zero" if int(value) == 0 else "a time"
    if place.endswith("expires_in") and isinstance(value, int):
        return -(-value // _ROUNDED) * _ROUNDED
    if isinstance(value, str):
        if _RANDOM.search(place):
            return "random"
        if _DER.match(value):
            return "DER in base64"
        return normal_text(value, known)
    return value if value is None or isinstance(value, (bool, int, float)) else json.dumps(value)


def normal_text(text: str, known: Mapping[str, str]) -> str:
    """Replace addresses, ids and values that vary by their names."""
    for value, name in sorted(known.items(), key=lambda item: -len(item[0])):
        text = text.replace(value, f"<{name}>")
    return _UUID.sub("<uuid>", text)
