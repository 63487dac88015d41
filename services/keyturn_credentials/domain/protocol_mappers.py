"""Protocol mappers of clients and client scopes: Keycloak's ProtocolMapperRepresentation. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec

from keyturn_credentials.domain.mapper_types import (
    ACCESS_TOKEN,
    ALLOWED_ORIGINS,
    AUDIENCE_RESOLVE,
    HARDCODED_ROLE,
    IN_FORCE,
    INTROSPECTION,
    ROLE_NAME,
)
from keyturn_credentials.domain.private_key_guard import refuse_private_keys
from keyturn_credentials.errors import ConflictError, InvalidRequestError

MAPPERS: Final = "protocolMappers"
OPENID_CONNECT: Final = "openid-connect"

MAX_MAPPERS: Final = 100
"""Protocol mappers of a client, or of a client scope."""
MAX_MAPPER_BYTES: Final = 8192
"""Size of one of them, as JSON."""
MAX_CLIENT_BYTES: Final = 64 * 1024
"""Size of all of a client. Every node has them in memory."""
MAX_REALM_BYTES: Final = 256 * 1024
"""Size of all of a realm's client scopes. Its projection contains them."""
_MAX_NAME: Final = 255
_MAX_ID: Final = 64

_MEMBERS: Final = frozenset(
    {"id", "name", "protocol", "protocolMapper", "consentRequired", "consentText", "config"}
)
_IDS: Final = UUID("5b1f2f3a-7a0e-4d3c-9d6b-2a4c8e7f1b90")
"""Namespace of the ids of mappers without one (RFC 9562 section 5.5)."""

_SHOWN: Final = 100
_ALWAYS_SHOWN: Final = frozenset({ALLOWED_ORIGINS, AUDIENCE_RESOLVE})
_WITHOUT_PLACES: Final = frozenset({HARDCODED_ROLE, ROLE_NAME})


def mappers_in(document: Mapping[str, Any], container: str) -> list[dict[str, Any]]:
    """Return the mappers that are stored in a client or client scope with this id. Invalid entries that an
    earlier build kept are skipped."""
    stored = document.get(MAPPERS)
    entries = stored if isinstance(stored, list) else ()
    return [_with_id(entry, container) for entry in entries if _is_mapper(entry)]


def normal(value: object) -> list[dict[str, Any]]:
    """Return the mappers of a request as they are stored: settings are texts, and none is empty. Raises
    InvalidRequestError for what are no mappers."""
    if not isinstance(value, list) or not all(isinstance(entry, Mapping) for entry in value):
        raise InvalidRequestError(f"{MAPPERS} must be an array of objects")
    if len(value) > MAX_MAPPERS:
        raise InvalidRequestError(f"{MAPPERS} has {len(value)} entries; at most {MAX_MAPPERS} are allowed")
    mappers = [normal_mapper(entry) for entry in value]
    require_distinct(mappers)
    return mappers


def normal_mapper(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return one mapper of a request as it is stored. Raises InvalidRequestError."""
    for name in entry:
        if name not in _MEMBERS:
            raise InvalidRequestError(f'{MAPPERS}: unrecognized field "{name[:_SHOWN]}"')
    name = _text(entry, "name", _MAX_NAME)
    if not name or any(character < " " or character == "\x7f" for character in name):
        raise InvalidRequestError(f"a protocol mapper must have a name of printable characters: {name!r:.80}")
    kind = _text(entry, "protocolMapper", _MAX_NAME)
    if not kind:
        raise InvalidRequestError(f"protocol mapper {name[:_SHOWN]}: protocolMapper is required")
    mapper: dict[str, Any] = {
        "name": name,
        "protocol": _text(entry, "protocol", _MAX_NAME) or OPENID_CONNECT,
        "protocolMapper": kind,
        "consentRequired": entry.get("consentRequired") is True,
        "config": dict(_settings(name, entry.get("config"))),
    }
    if chosen := _text(entry, "id", _MAX_ID):
        mapper = {"id": chosen, **mapper}
    if (size := size_of(mapper)) > MAX_MAPPER_BYTES:
        raise InvalidRequestError(
            f"protocol mapper {name[:_SHOWN]} has {size} bytes; at most {MAX_MAPPER_BYTES} are allowed"
        )
    refuse_private_keys(mapper)
    return mapper


def require_distinct(mappers: Iterable[Mapping[str, Any]]) -> None:
    """Raise ConflictError for two mappers with the same name or id."""
    names: set[tuple[str, str]] = set()
    ids: set[str] = set()
    for mapper in mappers:
        key = (mapper.get("protocol", OPENID_CONNECT), mapper["name"])
        if key in names or mapper.get("id") in ids:
            raise ConflictError("Protocol mapper exists with same name")
        names.add(key)
        if mapper.get("id"):
            ids.add(mapper["id"])


def shown(mapper: Mapping[str, Any]) -> dict[str, Any]:
    """Represent a mapper like Keycloak's address of it, which writes out the switches that are not set."""
    kind, config = mapper.get("protocolMapper"), dict(mapper.get("config") or {})
    if kind in _ALWAYS_SHOWN:
        config.setdefault(ACCESS_TOKEN, "true")
        config.setdefault(INTROSPECTION, "true")
    elif kind in IN_FORCE and kind not in _WITHOUT_PLACES:
        config.setdefault(INTROSPECTION, str(config.get(ACCESS_TOKEN) == "true").lower())
    return {**mapper, "config": config}


def size_of(mappers: object) -> int:
    """Return the size of a mapper or several, as JSON."""
    return len(msgspec.json.encode(mappers))


def require_small(mappers: Sequence[Any], before: Sequence[Any], most: int) -> None:
    """Raise InvalidRequestError if mappers are too large together, and larger than they were."""
    size = size_of(mappers)
    if size > most and size > size_of(before):
        raise InvalidRequestError(f"{MAPPERS} have {size} bytes together; at most {most} are allowed")


def _is_mapper(entry: object) -> bool:
    return (
        isinstance(entry, Mapping)
        and isinstance(entry.get("name"), str)
        and isinstance(entry.get("protocolMapper"), str)
        and isinstance(entry.get("config", {}), Mapping | None)
    )


def _with_id(entry: Mapping[str, Any], container: str) -> dict[str, Any]:
    protocol = str(entry.get("protocol") or OPENID_CONNECT)
    chosen = entry.get("id")
    is_chosen = isinstance(chosen, str) and chosen
    return {
        **entry,
        "id": chosen if is_chosen else mapper_id_of(container, protocol, entry["name"]),
        "protocol": protocol,
        "consentRequired": entry.get("consentRequired") is True,
        "config": {name: text for name, text in (entry.get("config") or {}).items() if isinstance(text, str)},
    }


def mapper_id_of(container: str, protocol: str, name: str) -> str:
    """Return the id of a mapper that was stored without one."""
    return str(uuid5(_IDS, f"{container}:{protocol}:{name}"))


def _text(entry: Mapping[str, Any], name: str, most: int) -> str:
    value = entry.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > most or "\0" in value:
        raise InvalidRequestError(
            f"{name} of a protocol mapper must be a string of at most {most} characters"
        )
    return value


def _settings(mapper: str, config: object) -> Iterator[tuple[str, str]]:
    if config is None:
        return
    if not isinstance(config, Mapping):
        raise InvalidRequestError(f"protocol mapper {mapper[:_SHOWN]}: config must be an object")
    for name, value in config.items():
        text = str(value).lower() if isinstance(value, bool) else value
        if isinstance(text, int):
            text = str(text)
        if text is None or text == "":
            continue
        if not isinstance(text, str) or "\0" in text or "\0" in name:
            raise InvalidRequestError(
                f"protocol mapper {mapper[:_SHOWN]}: config {name[:_SHOWN]} must be a string"
            )
        yield name, text
