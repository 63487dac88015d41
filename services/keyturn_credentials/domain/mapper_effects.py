"""Effects of protocol mappers: what nodes get to know of each, and why one has none. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from keyturn_credentials.domain import mapper_types as types
from keyturn_credentials.domain.protocol_mappers import OPENID_CONNECT
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.jose import strict_json
from keyturn_shared.jose.errors import MalformedError
from keyturn_shared.projected_mappers import ClaimPath, ProjectedMapper, refused_claim

MAX_CLAIM_PARTS: Final = 10
MAX_CLAIM_NAME: Final = 255
_SHOWN: Final = 100
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,19}\Z")
_BITS: Final = {"int": 31, "long": 63}
_TEXT: Final = (None, "String")
_IDENTITY: Final = {
    types.PROPERTY: {"username": "username", "id": "id", "serviceAccountClientLink": "client_uuid"},
    types.ATTRIBUTE: {"username": "username"},
    types.NOTE: {"client_id": "client_id", "clientId": "client_id"},
}
_SOURCE: Final = {types.NOTE: "user.session.note"}
_ADDRESSES: Final = frozenset({"clientHost", "clientAddress"})
_FLAGS: Final = {"enabled": True, "emailVerified": False}


@dataclass(frozen=True, slots=True)
class Effect:
    """``mapper``: for the nodes, if there is anything to do. ``none_because``: why it has no effect; None if
    it has. ``is_keycloaks``: it has none in Keycloak either, for a service account."""

    mapper: ProjectedMapper | None = None
    none_because: str | None = None
    is_keycloaks: bool = True


def effect_of(entry: Mapping[str, Any]) -> Effect:
    """Return the effect of a mapper. Raises InvalidRequestError for one that sets a claim that no mapper may
    set, or has a value that is not of its type."""
    if entry.get("protocol") != OPENID_CONNECT:
        return Effect(None, "it is for another protocol")
    kind = entry["protocolMapper"]
    if kind in types.NO_EFFECT_ON_SERVICE_ACCOUNTS:
        return Effect(None, "it is about people and their sessions")
    if kind not in types.IN_FORCE:
        return Effect(None, "keyturn has no mapper of this type", is_keycloaks=False)
    if kind in (types.SUBJECT, types.ACR):
        return Effect()
    reader = _Reader(entry)
    mapper = reader.read()
    if isinstance(mapper, str):
        return Effect(None, mapper)
    if (claim := refused_claim(mapper)) is not None:
        raise reader.refusal(f"a protocol mapper must not set the claim {claim}")
    places = (mapper.in_token, mapper.in_introspection, mapper.in_lightweight)
    if not any(places):
        return Effect(None, "its claim is in neither access tokens nor introspection")
    return Effect(mapper)


def projected_mappers(entries: Iterable[Mapping[str, Any]]) -> tuple[ProjectedMapper, ...]:
    """Return what nodes apply, in the order of Keycloak's priorities. What an earlier build stored and would
    be refused today is left out."""
    found = []
    for entry in entries:
        try:
            mapper = effect_of(entry).mapper
        except InvalidRequestError:
            continue
        if mapper is not None:
            found.append((types.IN_FORCE[entry["protocolMapper"]].priority, mapper))
    return tuple(mapper for _, mapper in sorted(found, key=lambda each: each[0]))


def check_effects(entries: Iterable[Mapping[str, Any]], before: Iterable[Mapping[str, Any]]) -> None:
    """Raise InvalidRequestError for a mapper that would be refused, unless it was stored like that before."""
    known = list(before)
    for entry in entries:
        if entry not in known:
            effect_of(entry)


def without_effect(entries: Iterable[Mapping[str, Any]], *, as_in_keycloak: bool = True) -> list[str]:
    """Describe the mappers without effect. Without ``as_in_keycloak``: only those that would have one in
    Keycloak."""
    found = []
    for entry in entries:
        try:
            effect = effect_of(entry)
        except InvalidRequestError as error:
            found.append(error.detail)
            continue
        if effect.none_because is not None and (as_in_keycloak or not effect.is_keycloaks):
            found.append(f"{named(entry)} has no effect: {effect.none_because}")
    return found


def named(entry: Mapping[str, Any]) -> str:
    """Name a mapper and its type, for a message."""
    return f"protocol mapper {entry['name'][:_SHOWN]} ({entry['protocolMapper'][:_SHOWN]})"


class _Reader:
    """Reads the configuration of one mapper."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self._entry = entry
        self._kind = entry["protocolMapper"]
        self._config: Mapping[str, str] = entry.get("config") or {}

    def refusal(self, reason: str) -> InvalidRequestError:
        return InvalidRequestError(f"{named(self._entry)}: {reason}")

    def read(self) -> ProjectedMapper | str:
        """Return the mapper, or why it has no effect. Raises InvalidRequestError."""
        config = self._config
        match self._kind:
            case types.HARDCODED_ROLE:
                owner, role = _role(config.get("role", ""))
                if not role:
                    return "it has no role"
                return ProjectedMapper(kind="hardcoded_role", owner=owner, role=role)
            case types.ROLE_NAME:
                owner, role = _role(config.get("role", ""))
                new_owner, new_role = _role(config.get("new.role.name", ""))
                if not role or not new_role:
                    return "it has no role or no new.role.name"
                return ProjectedMapper(
                    kind="role_name", owner=owner, role=role, new_owner=new_owner, new_role=new_role
                )
            case types.AUDIENCE:
                audience = config.get("included.client.audience") or config.get("included.custom.audience")
                return self._mapper("audience", value=audience) if audience else "it names no audience"
            case types.AUDIENCE_RESOLVE:
                return self._mapper("audience_resolve", default=True)
            case types.ALLOWED_ORIGINS:
                return self._mapper("allowed_origins", default=True, claim=("allowed-origins",))
        claim = self._claim()
        if not claim:
            return f"it has no {types.CLAIM_NAME}"
        match self._kind:
            case types.HARDCODED_CLAIM:
                if "claim.value" not in config:
                    return "it has no claim.value"
                return self._mapper("constant", claim=claim, value=self._typed(claim, config["claim.value"]))
            case types.REALM_ROLES | types.CLIENT_ROLES:
                return self._roles(claim)
        return self._of_the_account(claim)

    def _of_the_account(self, claim: ClaimPath) -> ProjectedMapper | str:
        name = self._config.get(_SOURCE.get(self._kind, "user.attribute"), "")
        if self._kind == types.PROPERTY and name in _FLAGS:
            text = str(_FLAGS[name]).lower()
            return self._mapper("constant", claim=claim, value=self._typed(claim, text))
        source = _IDENTITY[self._kind].get(name)
        is_address = self._kind == types.NOTE and name in _ADDRESSES
        if source is None and not is_address:
            return f"a service account has no {name[:_SHOWN]!r}"
        self._require_text()
        if is_address:
            return self._mapper("note", claim=claim, source=name)
        is_list = self._kind == types.ATTRIBUTE and self._is_multivalued
        return self._mapper("identity", claim=claim, source=source, multivalued=is_list)

    def _roles(self, claim: ClaimPath) -> ProjectedMapper:
        self._require_text()
        of = "realm" if self._kind == types.REALM_ROLES else "client"
        return self._mapper(
            f"{of}_roles",
            claim=claim,
            multivalued=self._is_multivalued,
            prefix=self._config.get(f"usermodel.{of}RoleMapping.rolePrefix", ""),
            owner=self._config.get("usermodel.clientRoleMapping.clientId") if of == "client" else None,
        )

    def _mapper(self, kind: str, *, default: bool = False, **members: Any) -> ProjectedMapper:
        """``default``: its claim is in tokens and introspection unless the configuration says otherwise."""
        in_token = self._is_true(types.ACCESS_TOKEN, default=default)
        return ProjectedMapper(
            kind=kind,
            in_token=in_token,
            in_introspection=self._is_true(types.INTROSPECTION, default=default or in_token),
            in_lightweight=self._is_true(types.LIGHTWEIGHT),
            **members,
        )

    def _is_true(self, name: str, *, default: bool = False) -> bool:
        text = self._config.get(name)
        return default if text is None else text == "true"

    @property
    def _is_multivalued(self) -> bool:
        return self._is_true(types.MULTIVALUED)

    def _require_text(self) -> None:
        if self._config.get(types.CLAIM_TYPE) not in _TEXT:
            raise self.refusal(f"{types.CLAIM_TYPE} must be String: what it maps is a text")

    def _claim(self) -> ClaimPath:
        name = self._config.get(types.CLAIM_NAME, "")
        if len(name) > MAX_CLAIM_NAME:
            raise self.refusal(f"{types.CLAIM_NAME} has more than {MAX_CLAIM_NAME} characters")
        parts = _parts(name) if name else ()
        if not all(parts):
            raise self.refusal(f"{types.CLAIM_NAME} has an empty part")
        if len(parts) > MAX_CLAIM_PARTS:
            raise self.refusal(f"{types.CLAIM_NAME} has more than {MAX_CLAIM_PARTS} parts")
        return parts

    def _typed(self, claim: ClaimPath, text: str) -> Any:
        """Convert a text to the type of the claim. Raises InvalidRequestError, where Keycloak issues no
        tokens."""
        match self._config.get(types.CLAIM_TYPE):
            case "boolean":
                return text.lower() == "true"
            case "int" | "long" as name:
                most = 2 ** _BITS[name]
                if not _WHOLE.match(text) or not -most <= int(text) < most:
                    raise self.refusal(f"{text[:_SHOWN]!r} is not of the type {name}")
                return int(text)
            case "JSON":
                return self._json(claim, text)
        return text

    def _json(self, claim: ClaimPath, text: str) -> Any:
        try:
            value = strict_json.decode_object(b'{"value":%s}' % text.encode())["value"]
            nested = value
            for part in reversed(claim):
                nested = {part: nested}
            strict_json.decode_object(strict_json.encode(nested))  # as deep as verifiers read
        except (MalformedError, UnicodeEncodeError) as error:
            reason = error.detail if isinstance(error, MalformedError) else "not UTF-8"
            raise self.refusal(f"the claim is not strict JSON: {reason}") from error
        return value


def _parts(name: str) -> ClaimPath:
    """Split at dots. A backslash makes the next character one of the name."""
    parts, part, is_escaped = [], "", False
    for character in name:
        if is_escaped:
            part, is_escaped = part + character, False
        elif character == "\\":
            is_escaped = True
        elif character == ".":
            parts.append(part)
            part = ""
        else:
            part += character
    return (*parts, part + "\\" if is_escaped else part)


def _role(text: str) -> tuple[str | None, str]:
    """Read ``client.role``, or ``role`` for one of the realm."""
    owner, dot, name = text.rpartition(".")
    return (owner, name) if dot else (None, text)
