"""Generation, import and export of a client's keys. Private keys are returned once and discarded."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from cryptography import x509

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client import Client, KeySource
from keyturn_credentials.domain.client_keys import read_certificate, read_public_key
from keyturn_credentials.domain.guards import require_version
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.realm_keys import active_key
from keyturn_credentials.errors import InvalidRequestError, NotFoundError
from keyturn_credentials.keystores import (
    DEFAULT_VALIDITY_YEARS,
    ArchivePasswords,
    CertificateEntry,
    ImportedCertificate,
    ImportedKeys,
    ImportedKeySet,
    ImportedPublicKey,
    KeyEntry,
    KeyPair,
    KeyPairKind,
    KeyStoreFormat,
    certificate_body,
    generate_key_pair,
    import_credentials,
    public_key_body,
    self_signed_certificate,
    write_archive,
)
from keyturn_credentials.operations.changes import Done
from keyturn_credentials.operations.client_keys import (
    ClientKeyOperations,
    certificate_attributes,
    inline_jwks_attributes,
)
from keyturn_credentials.operations.key_kinds import kind_for
from keyturn_credentials.operations.permissions import CONFIGURE_CLIENTS, MANAGE_CLIENTS, Permission
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_credentials.queries.reading import Queries
from keyturn_shared.clock import Clock
from keyturn_shared.secret import Secret

CREDENTIAL: Final = "jwt.credential"
_MAX_CONCURRENT: Final = 2
"""Concurrent key generations and archive reads: each keeps a processor busy."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ArchiveOrder:
    """Keycloak's KeyStoreConfig, and the kind of key pair to generate.

    ``key_alias`` None: the client id, ``realm_alias`` None: the realm's name. ``kind`` None: the one for the
    client's algorithm, else ``rsa``.
    """

    file_format: KeyStoreFormat
    passwords: ArchivePasswords
    key_alias: str | None = None
    realm_alias: str | None = None
    with_realm_certificate: bool = True
    kind: KeyPairKind | None = None
    rsa: KeyPairKind = KeyPairKind.RSA_4096
    validity_years: int = DEFAULT_VALIDITY_YEARS


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file to import, with its passwords."""

    file_format: KeyStoreFormat
    data: bytes
    key_alias: str | None
    key_password: Secret | None
    store_password: Secret | None


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """The place of a client's key. ``prefix``: Keycloak's ``attr``, for example ``jwt.credential``.
    ``replace_url``: a change that sets a key also removes the client's JWKS URL."""

    target: ClientTarget
    prefix: str
    replace_url: bool = False


class CertificateOperations:
    """Operations on certificates. They raise the errors of ``Changes``, InvalidRequestError,
    LimitReachedError and KeyStoreError."""

    def __init__(self, queries: Queries, clock: Clock, keys: ClientKeyOperations) -> None:
        self._queries = queries
        self._clock = clock
        self._keys = keys
        self._turn = asyncio.Semaphore(_MAX_CONCURRENT)

    async def get(self, place: KeyPlace) -> dict[str, str]:
        """Return Keycloak's CertificateRepresentation of what is set."""
        _, client = await self._queries.client(place.target.realm, place.target.client_uuid)
        return _representation(client, place.prefix)

    async def generate(self, place: KeyPlace, kind: KeyPairKind | None) -> Done[dict[str, str]]:
        """Generate a key pair and set its certificate. Only the result contains the private key. ``kind``: as
        in ``ArchiveOrder``."""
        _, client = await self._find_to_change(place, CONFIGURE_CLIENTS)
        _require_effect(client, place)
        made = _kind(client, place, kind, KeyPairKind.RSA_4096)
        pair, certificate = await self._work(lambda: self._make(client, made, DEFAULT_VALIDITY_YEARS))
        body = certificate_body(certificate)
        done = await self._set(place, CONFIGURE_CLIENTS, _values(place, certificate=body))
        return Done(done.sequence, {"privateKey": pair.private_key_body.reveal(), "certificate": body})

    async def generate_archive(self, place: KeyPlace, order: ArchiveOrder) -> Done[bytes]:
        """Generate like ``generate``, with the private key in an archive."""
        realm, client = await self._find_to_change(place, CONFIGURE_CLIENTS)
        _require_effect(client, place)
        kind = _kind(client, place, order.kind, order.rsa)
        realm_entries = await self._realm_entries(realm, order)

        def work() -> tuple[bytes, str]:
            pair, certificate = self._make(client, kind, order.validity_years)
            entry = KeyEntry(order.key_alias or client.client_id, pair, (certificate,))
            entries: list[KeyEntry | CertificateEntry] = [entry, *realm_entries]
            archive = write_archive(order.file_format, entries, order.passwords, now=self._now())
            return archive, certificate_body(certificate)

        archive, body = await self._work(work)
        done = await self._set(place, CONFIGURE_CLIENTS, _values(place, certificate=body))
        return Done(done.sequence, archive)

    async def archive(self, place: KeyPlace, order: ArchiveOrder) -> bytes:
        """Return the certificate in an archive; the private key was discarded when it was generated."""
        realm, client = await self._queries.client(place.target.realm, place.target.client_uuid)
        name = f"{place.prefix}.{attributes.CERTIFICATE}"
        text = client.attributes.get(name)
        if not text:
            raise NotFoundError("keypair not generated for client")
        certificate = read_certificate(text, name)
        entry = CertificateEntry(order.key_alias or client.client_id, certificate)
        entries = [entry, *await self._realm_entries(realm, order)]
        return await self._work(
            lambda: write_archive(order.file_format, entries, order.passwords, now=self._now())
        )

    async def upload(self, place: KeyPlace, file: UploadedFile) -> Done[ImportedKeys]:
        """Set the public keys in a file. A private key in it is never stored."""
        _, client = await self._find_to_change(place, MANAGE_CLIENTS)
        imported = await self._work(
            lambda: import_credentials(
                file.file_format,
                file.data,
                now=self._now(),
                key_alias=file.key_alias,
                key_password=file.key_password,
                store_password=file.store_password,
            )
        )
        _require_effect(client, place)
        if isinstance(imported, ImportedKeySet):
            if place.prefix != CREDENTIAL:
                raise InvalidRequestError(f"a JSON Web Key Set can only be imported for {CREDENTIAL}")
            inline = inline_jwks_attributes(imported.text) | _without_url(place)
            done = await self._set(place, MANAGE_CLIENTS, inline, source="jwks")
        else:
            done = await self._set(place, MANAGE_CLIENTS, _values(place, **_attribute_of(imported)))
        return Done(done.sequence, imported)

    async def _find_to_change(self, place: KeyPlace, permission: Permission) -> tuple[Realm, Client]:
        """Check what the change will check again at the end, so that the work is not done in vain."""
        target = place.target
        realm, client = await self._queries.client(target.realm, target.client_uuid)
        require_version(client.version, target.expected)
        permission(target.actor.principal, realm.name, [client])
        return realm, client

    async def _set(
        self,
        place: KeyPlace,
        permission: Permission,
        values: Mapping[str, str | None],
        *,
        source: KeySource = "certificate",
    ) -> Done[Client]:
        details = {"attribute": place.prefix}
        return await self._keys.set_keys(place.target, permission, values, source=source, details=details)

    def _make(self, client: Client, kind: KeyPairKind, years: int) -> tuple[KeyPair, x509.Certificate]:
        pair = generate_key_pair(kind)
        now = self._now()
        return pair, self_signed_certificate(pair, client.client_id, now=now, validity_years=years)

    async def _realm_entries(self, realm: Realm, order: ArchiveOrder) -> list[CertificateEntry]:
        if not order.with_realm_certificate:
            return []
        _, keys = await self._queries.realm_with_keys(realm.name)
        active = active_key(realm, keys)
        assert active is not None, "a realm has a key that signs"  # noqa: S101 - see ``domain.realm_keys``
        certificate = read_certificate(active.certificate, "the realm's certificate")
        return [CertificateEntry(order.realm_alias or realm.name, certificate)]

    async def _work(self, function: Callable[[], Result]) -> Result:
        async with self._turn:
            return await asyncio.to_thread(function)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)


def _kind(client: Client, place: KeyPlace, asked: KeyPairKind | None, rsa: KeyPairKind) -> KeyPairKind:
    """Return the kind to generate. Only the key that the client authenticates with must fit its algorithm."""
    return kind_for(client, asked, rsa) if place.prefix == CREDENTIAL else asked or rsa


def _attribute_of(imported: ImportedCertificate | ImportedPublicKey) -> dict[str, str]:
    if isinstance(imported, ImportedCertificate):
        return {"certificate": imported.representation["certificate"]}
    return {"public_key": imported.representation["publicKey"]}


def _values(place: KeyPlace, **parts: str) -> dict[str, str | None]:
    return certificate_attributes(place.prefix, **parts) | _without_url(place)


def _without_url(place: KeyPlace) -> dict[str, str | None]:
    replaced = place.replace_url and place.prefix == CREDENTIAL
    return {attributes.USE_JWKS_URL: None} if replaced else {}


def _require_effect(client: Client, place: KeyPlace) -> None:
    """Raise if the key would have no effect: Keycloak would accept it and go on using the URL."""
    if place.replace_url or place.prefix != CREDENTIAL:
        return
    if attributes.is_true(client.attributes, attributes.USE_JWKS_URL):
        raise InvalidRequestError(
            f"the client uses the keys at its JWKS URL, so this key would have no effect:"
            f" set {attributes.USE_JWKS_URL} to false first"
        )


def _representation(client: Client, prefix: str) -> dict[str, Any]:
    members = {
        "certificate": client.attributes.get(f"{prefix}.{attributes.CERTIFICATE}"),
        "publicKey": client.attributes.get(f"{prefix}.{attributes.PUBLIC_KEY}"),
        "kid": client.attributes.get(f"{prefix}.{attributes.KID}"),
    }
    if members["certificate"] and not members["publicKey"]:
        certificate = read_certificate(members["certificate"], f"{prefix}.{attributes.CERTIFICATE}")
        public_key = certificate.public_key()
        members["publicKey"] = public_key_body(public_key)  # type: ignore[arg-type]  # only accepted types are stored
    elif members["publicKey"] and not members["kid"]:
        members["kid"] = read_public_key(members["publicKey"], prefix).kid
    return {name: value for name, value in members.items() if value}
