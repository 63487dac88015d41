"""Generating, importing and exporting a client's keys. Private keys leave in the answer and are forgotten."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from cryptography import x509

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client import Client, KeySource
from keyturn_credentials.domain.client_keys import read_certificate, read_public_key
from keyturn_credentials.domain.realm import KeyState, Realm
from keyturn_credentials.errors import InvalidRequestError, NotFoundError
from keyturn_credentials.keystores import (
    DEFAULT_VALIDITY_YEARS,
    ArchivePasswords,
    CertificateEntry,
    ImportedCertificate,
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
from keyturn_credentials.operations.client_keys import (
    ClientKeyOperations,
    certificate_attributes,
    inline_jwks_attributes,
)
from keyturn_credentials.operations.recording import Done, require_client, require_realm, require_version
from keyturn_credentials.store.transaction import Actor, Store
from keyturn_shared.clock import Clock
from keyturn_shared.secret import Secret

CREDENTIAL: Final = "jwt.credential"
_AT_ONCE: Final = 2
"""Key pairs made and archives read at the same time: each keeps a processor busy."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ArchiveOrder:
    """Keycloak's KeyStoreConfig, and which key pair to make. ``key_alias`` None: the client id,
    ``realm_alias`` None: the realm's name."""

    file_format: KeyStoreFormat
    passwords: ArchivePasswords
    key_alias: str | None = None
    realm_alias: str | None = None
    with_realm_certificate: bool = True
    kind: KeyPairKind = KeyPairKind.RSA_4096
    validity_years: int = DEFAULT_VALIDITY_YEARS


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file to import, with what opens it."""

    file_format: KeyStoreFormat
    data: bytes
    key_alias: str | None
    key_password: Secret | None
    store_password: Secret | None


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where a client has a key. ``prefix``: what Keycloak calls ``attr``, for example ``jwt.credential``.

    For setting one: ``replace_url``: in the same change the client stops using the keys at its JWKS URL;
    ``expected``: versions of the client that the caller has seen (If-Match).
    """

    realm: str
    client_uuid: str
    prefix: str
    replace_url: bool = False
    expected: frozenset[int] | None = None


class CertificateOperations:
    """Raises as ``ClientOperations``, and KeyStoreError."""

    def __init__(self, store: Store, clock: Clock, keys: ClientKeyOperations) -> None:
        self._store = store
        self._clock = clock
        self._keys = keys
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def get(self, place: KeyPlace) -> dict[str, str]:
        """Keycloak's CertificateRepresentation of what is set."""
        _, client = await self._find(place)
        return _representation(client, place.prefix)

    async def generate(self, actor: Actor, place: KeyPlace, kind: KeyPairKind) -> Done[dict[str, str]]:
        """A key pair whose certificate is set. The private key is in the answer, and nowhere else."""
        _, client = await self._find(place)
        require_version(client.version, place.expected)  # before the work; it is asked again when it is done
        _require_effect(client, place)
        pair, certificate = await self._work(lambda: self._make(client, kind, DEFAULT_VALIDITY_YEARS))
        body = certificate_body(certificate)
        done = await self._set(actor, place, _values(place, certificate=body))
        return Done(done.sequence, {"privateKey": pair.private_key_body.reveal(), "certificate": body})

    async def generate_archive(self, actor: Actor, place: KeyPlace, order: ArchiveOrder) -> Done[bytes]:
        """As ``generate``, with the private key in an archive."""
        realm, client = await self._find(place)
        require_version(client.version, place.expected)  # before the work; it is asked again when it is done
        _require_effect(client, place)
        realm_entries = await self._realm_entries(realm, order)

        def work() -> tuple[bytes, str]:
            pair, certificate = self._make(client, order.kind, order.validity_years)
            entry = KeyEntry(order.key_alias or client.client_id, pair, (certificate,))
            entries: list[KeyEntry | CertificateEntry] = [entry, *realm_entries]
            archive = write_archive(order.file_format, entries, order.passwords, now=self._now())
            return archive, certificate_body(certificate)

        archive, body = await self._work(work)
        done = await self._set(actor, place, _values(place, certificate=body))
        return Done(done.sequence, archive)

    async def archive(self, place: KeyPlace, order: ArchiveOrder) -> bytes:
        """The certificate in an archive; the private key was forgotten when it was made."""
        realm, client = await self._find(place)
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

    async def upload(self, actor: Actor, place: KeyPlace, file: UploadedFile) -> Done[dict[str, str]]:
        """Set the public keys in a file. A private key in it is never kept."""
        _, client = await self._find(place)
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
                raise InvalidRequestError(f"a JSON Web Key Set can be imported for {CREDENTIAL} only")
            inline = inline_jwks_attributes(imported.text) | _without_url(place)
            done = await self._set(actor, place, inline, source="jwks")
        else:
            done = await self._set(actor, place, _values(place, **_attribute_of(imported)))
        return Done(done.sequence, imported.representation)

    async def _set(
        self,
        actor: Actor,
        place: KeyPlace,
        values: Mapping[str, str | None],
        *,
        source: KeySource = "certificate",
    ) -> Done[Client]:
        return await self._keys.set_keys(
            actor,
            place.realm,
            place.client_uuid,
            values,
            source=source,
            details={"attribute": place.prefix},
            expected=place.expected,
        )

    def _make(self, client: Client, kind: KeyPairKind, years: int) -> tuple[KeyPair, x509.Certificate]:
        pair = generate_key_pair(kind)
        now = self._now()
        return pair, self_signed_certificate(pair, client.client_id, now=now, validity_years=years)

    async def _realm_entries(self, realm: Realm, order: ArchiveOrder) -> list[CertificateEntry]:
        if not order.with_realm_certificate:
            return []
        async with self._store.find() as reading:
            keys = await reading.realms.keys(realm.id)
        active = next(key for key in keys if key.state is KeyState.ACTIVE)
        certificate = read_certificate(active.certificate, "the realm's certificate")
        return [CertificateEntry(order.realm_alias or realm.name, certificate)]

    async def _find(self, place: KeyPlace) -> tuple[Realm, Client]:
        async with self._store.find() as reading:
            realm = require_realm(await reading.realms.get(place.realm))
            return realm, require_client(await reading.clients.get(realm.id, place.client_uuid))

    async def _work(self, function: Callable[[], Result]) -> Result:
        async with self._turn:
            return await asyncio.to_thread(function)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)


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
    """Keycloak would take the key and go on using the URL."""
    if place.replace_url or place.prefix != CREDENTIAL:
        return
    if attributes.is_true(client.attributes, attributes.USE_JWKS_URL):
        raise InvalidRequestError(
            f"the client uses the keys at its JWKS URL, so this one would have no effect:"
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
        # Only types that were accepted are stored.
        members["publicKey"] = public_key_body(certificate.public_key())  # type: ignore[arg-type]
    elif members["publicKey"] and not members["kid"]:
        members["kid"] = read_public_key(members["publicKey"], prefix).kid
    return {name: value for name, value in members.items() if value}
