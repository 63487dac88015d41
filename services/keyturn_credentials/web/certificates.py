"""``…/clients/{uuid}/certificates/{attr}``."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain.attributes import CERTIFICATE_PREFIXES
from keyturn_credentials.domain.client_keys import notes_on
from keyturn_credentials.errors import InvalidRequestError, NotFoundError
from keyturn_credentials.http.bodies import octets_of, read_form, read_json, text_of
from keyturn_credentials.keystores import (
    DEFAULT_VALIDITY_YEARS,
    ArchivePasswords,
    ImportedKeys,
    ImportedKeySet,
    KeyPairKind,
    KeyStoreFormat,
)
from keyturn_credentials.keystores.errors import FormatNotSupportedError
from keyturn_credentials.operations.certificates import (
    ArchiveOrder,
    CertificateOperations,
    KeyPlace,
    UploadedFile,
)
from keyturn_credentials.web.clients import CONFIGURE, MANAGE, VIEW
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_credentials.web.notices import notice
from keyturn_shared.secret import Secret

_DEFAULT_RSA_BITS: Final = 4096
_NEVER_STORED: Final = {"Cache-Control": "no-store"}


class CertificateRoutes:
    """Handlers of Keycloak's ClientAttributeCertificateResource."""

    def __init__(self, operations: CertificateOperations) -> None:
        self._operations = operations

    def routes(self, gate: Gate) -> list[BaseRoute]:
        path = "/admin/realms/{realm}/clients/{uuid}/certificates/{attr}"
        return [
            gate.route(path, {"GET": Endpoint(self.get, VIEW)}),
            gate.route(f"{path}/generate", {"POST": Endpoint(self.generate, CONFIGURE)}),
            gate.route(
                f"{path}/generate-and-download", {"POST": Endpoint(self.generate_and_download, CONFIGURE)}
            ),
            gate.route(f"{path}/upload", {"POST": Endpoint(self.upload, MANAGE)}),
            gate.route(f"{path}/upload-certificate", {"POST": Endpoint(self.upload, MANAGE)}),
            gate.route(f"{path}/download", {"POST": Endpoint(self.download, VIEW)}),
        ]

    async def get(self, call: Call) -> Response:
        return JSONResponse(await self._operations.get(_place(call)))

    async def generate(self, call: Call) -> Response:
        """Generate a key pair. ``?keyType=`` chooses its kind; by default it fits the client's only
        algorithm, or is RSA as in Keycloak."""
        asked = call.query("keyType")
        kind = KeyPairKind.named(asked) if asked else None
        done = await self._operations.generate(_place(call), kind)
        call.changed(done)
        return JSONResponse(done.value, headers=_NEVER_STORED)

    async def generate_and_download(self, call: Call) -> Response:
        with _not_acceptable():
            order = _read_order(await read_json(call.request))
            done = await self._operations.generate_archive(_place(call), order)
        call.changed(done)
        return _archive(done.value)

    async def download(self, call: Call) -> Response:
        with _not_acceptable():
            order = _read_order(await read_json(call.request))
            archive = await self._operations.archive(_place(call), order)
        return _archive(archive)

    async def upload(self, call: Call) -> Response:
        file = await _read_upload(await read_form(call.request))
        done = await self._operations.upload(_place(call), file)
        call.changed(done)
        return JSONResponse(done.value.representation, headers=_notice_of(done.value))


def _notice_of(imported: ImportedKeys) -> dict[str, str]:
    """Build a notice about skipped keys, for which Keycloak's representation has no member."""
    skipped = imported.key_set.skipped if isinstance(imported, ImportedKeySet) else ()
    return notice(notes_on(skipped))


@contextmanager
def _not_acceptable() -> Iterator[None]:
    """Map errors: Keycloak answers 406 if an archive's format cannot be written, and 400 if one cannot be
    read."""
    try:
        yield
    except FormatNotSupportedError as error:
        raise HTTPException(406, error.detail) from error


def _archive(data: bytes) -> Response:
    return Response(data, media_type="application/octet-stream", headers=_NEVER_STORED)


def _place(call: Call) -> KeyPlace:
    """Return the key's place. ``?replaceJwksUrl=true``: new keys replace those at the client's JWKS URL."""
    prefix = call.path("attr")
    if prefix not in CERTIFICATE_PREFIXES:
        raise NotFoundError(f"certificates exist only for {', '.join(CERTIFICATE_PREFIXES)}")
    return KeyPlace(
        call.client_target,
        prefix,
        replace_url=call.is_true("replaceJwksUrl"),
    )


def _read_order(config: Mapping[str, Any]) -> ArchiveOrder:
    """Parse Keycloak's KeyStoreConfig, with ``keyType`` for key pairs other than RSA."""
    key_type = _text(config, "keyType")
    with_realm = config.get("realmCertificate")
    if with_realm is not None and not isinstance(with_realm, bool):
        raise InvalidRequestError("realmCertificate must be a boolean")
    return ArchiveOrder(
        file_format=KeyStoreFormat.named(_text(config, "format") or ""),
        passwords=ArchivePasswords(
            store=_secret(_text(config, "storePassword")), key=_secret(_text(config, "keyPassword"))
        ),
        key_alias=_text(config, "keyAlias"),
        realm_alias=_text(config, "realmAlias"),
        with_realm_certificate=with_realm is not False,
        kind=None if key_type is None else KeyPairKind.named(key_type),
        rsa=KeyPairKind.rsa(_whole(config, "keySize", _DEFAULT_RSA_BITS)),
        validity_years=_whole(config, "validity", DEFAULT_VALIDITY_YEARS),
    )


async def _read_upload(form: FormData) -> UploadedFile:
    try:
        name = form.get("keystoreFormat")
        if not isinstance(name, str) or not name:
            raise InvalidRequestError("keystoreFormat cannot be null")
        file = form.get("file")
        if file is None:
            raise InvalidRequestError("file cannot be empty")
        data = octets_of(file) if isinstance(file, str) else await file.read()
        return UploadedFile(
            file_format=KeyStoreFormat.named(name),
            data=data,
            key_alias=_field(form, "keyAlias"),
            key_password=_secret(_field(form, "keyPassword")),
            store_password=_secret(_field(form, "storePassword")),
        )
    finally:
        await form.close()


def _field(form: FormData, name: str) -> str | None:
    value = form.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidRequestError(f"{name} must be text, not a file")
    return text_of(value) if value else None


def _secret(text: str | None) -> Secret | None:
    return Secret(text) if text else None


def _text(config: Mapping[str, Any], name: str) -> str | None:
    value = config.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidRequestError(f"{name} must be a string")
    return value or None


def _whole(config: Mapping[str, Any], name: str, default: int) -> int:
    """Return a whole number; Keycloak's JSON reader also accepts it as text."""
    value = config.get(name)
    if value is None:
        return default
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    if type(value) is not int:
        raise InvalidRequestError(f"{name} must be a whole number")
    return value
