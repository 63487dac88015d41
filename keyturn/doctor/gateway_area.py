"""The gateway: the public URL as callers see it. Every request is refused or reads what is public."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

import httpx
from cryptography import x509

from keyturn.doctor.diagnoses import callers
from keyturn.doctor.findings import AreaReport
from keyturn.doctor.gateway_judgement import (
    Answer,
    judge_admin,
    judge_certificate,
    judge_discovery,
    judge_forged_address,
    judge_forged_certificate,
    judge_health,
    judge_key_set,
    judge_rotation,
    judge_token_endpoint,
)
from keyturn.doctor.scene import Scene
from keyturn_credentials.domain.realm import KeyPurpose, KeyState
from keyturn_credentials.domain.roles import MASTER
from keyturn_credentials.errors import StoreUnavailableError
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.registry import FleetRegistry
from keyturn_shared.fleet.scripts import RedisScripts

_MOST_OCTETS: Final = 1024 * 1024
_NO_CERTIFICATE: Final = "not-a-certificate"
_CERTIFICATE_HEADERS: Final = ("Client-Cert", "Ssl-Client-Cert")
_NO_ADDRESS: Final = "not-an-address"
_FAULTS: Final = 'keyturn_proxy_chain_faults_total{fault="malformed"'
_TOKEN: Final = "protocol/openid-connect/token"  # noqa: S105 - a path


async def check_gateway(scene: Scene, report: AreaReport) -> None:
    """Check the gateway from this machine, as a caller without any credential."""
    base = scene.settings.base_url
    report.summary = base
    parts = urlsplit(base)
    try:
        if parts.scheme == "https" and not await _has_valid_certificate(scene, report):
            return
        async with httpx.AsyncClient(
            trust_env=False, verify=ssl.create_default_context(), timeout=scene.seconds / 2
        ) as http:
            await _ask_all(scene, report, _Caller(http, base))
    except (httpx.HTTPError, OSError) as error:
        report.add(callers.GATEWAY_UNREACHABLE, f"{base}: {error or type(error).__name__}")


class _Caller:
    """Sends requests to the public URL."""

    def __init__(self, http: httpx.AsyncClient, base: str) -> None:
        self._http = http
        self._base = base

    async def ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, form: Any = None
    ) -> Answer:
        """Return an answer; redirects are not followed. Raises httpx.HTTPError."""
        request = self._http.stream(method, f"{self._base}{path}", headers=headers, data=form)
        async with request as response:
            octets = b""
            async for chunk in response.aiter_bytes():
                octets += chunk
                if len(octets) > _MOST_OCTETS:
                    break
        return Answer(response.status_code, _json(octets), response.headers)


async def _ask_all(scene: Scene, report: AreaReport, caller: _Caller) -> None:
    report.extend(judge_admin(await caller.ask("GET", "/admin/realms")))
    report.extend(judge_health(await caller.ask("GET", "/health/ready")))
    realm, kids = await _example(scene)
    issuer = f"{scene.settings.base_url}/realms/{realm}"
    path = f"/realms/{quote(realm, safe='')}"
    report.extend(
        judge_discovery(await caller.ask("GET", f"{path}/.well-known/openid-configuration"), issuer)
    )
    if realm == MASTER:
        return  # the credentials service alone answers for it
    token = await caller.ask("POST", f"{path}/{_TOKEN}", form={"scope": "x"})
    report.extend(judge_token_endpoint(token, await caller.ask("POST", f"{path}/verify")))
    report.extend(judge_key_set(await caller.ask("GET", f"{path}/protocol/openid-connect/certs"), kids))
    report.extend(judge_rotation(await caller.ask("GET", f"{path}/rotation")))
    await _forge(scene, report, caller, f"{path}/{_TOKEN}")


async def _forge(scene: Scene, report: AreaReport, caller: _Caller, path: str) -> None:
    """Send what only a proxy may say, in forms that nobody could gain anything by."""
    form = {"grant_type": "client_credentials", "client_id": "keyturn-doctor"}
    before = await _malformed_addresses(scene)
    plain = await caller.ask("POST", path, form=form, headers={"X-Forwarded-For": _NO_ADDRESS})
    own = scene.settings.certificate_header().name.decode()
    forged = dict.fromkeys((*_CERTIFICATE_HEADERS, own), _NO_CERTIFICATE)
    report.extend(judge_forged_certificate(plain, await caller.ask("POST", path, form=form, headers=forged)))
    if before is not None and (after := await _malformed_addresses(scene)) is not None:
        report.extend(judge_forged_address(before, after))


async def _malformed_addresses(scene: Scene) -> float | None:
    """Return how many malformed ``X-Forwarded-For`` the nodes have counted; None if any cannot be asked."""
    try:
        nodes = (await FleetRegistry(RedisScripts(scene.redis)).view()).nodes
    except RedisUnavailableError:
        return None
    urls = [node.details.get("base_url") for node in nodes]
    total = 0.0
    async with httpx.AsyncClient(trust_env=False, timeout=scene.seconds / 4) as http:
        for url in urls:
            try:
                page = await http.get(f"{url}/metrics")
            except (httpx.HTTPError, httpx.InvalidURL):
                return None
            total += sum(
                float(line.rpartition(" ")[2]) for line in page.text.splitlines() if line.startswith(_FAULTS)
            )
    return total if urls else None


async def _example(scene: Scene) -> tuple[str, frozenset[str]]:
    """Return a realm to ask about, and the kids of the keys that sign for its clients; ``master`` if there is
    no other, or the database cannot be read."""
    try:
        async with scene.store.read() as reading:
            for realm in await reading.realms.all():
                if realm.name != MASTER and realm.enabled and not realm.is_unfinished:
                    keys = await reading.realms.keys(realm.id)
                    active = (key for key in keys if key.state is KeyState.ACTIVE)
                    return realm.name, frozenset(
                        key.kid for key in active if key.purpose is KeyPurpose.CLIENTS
                    )
    except StoreUnavailableError:
        pass  # the check of the database says so
    return MASTER, frozenset()


async def _has_valid_certificate(scene: Scene, report: AreaReport) -> bool:
    """Check the TLS certificate of the public URL. Raises OSError."""
    parts = urlsplit(scene.settings.base_url)
    host, port = parts.hostname or "", parts.port or 443
    try:
        async with asyncio.timeout(scene.seconds / 2):
            _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context())
    except ssl.SSLCertVerificationError as error:
        report.add(callers.GATEWAY_CERTIFICATE_INVALID, f"{host}:{port}: {error.verify_message}")
        return False
    try:
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.transport.abort()
    ends_at = x509.load_der_x509_certificate(der).not_valid_after_utc.timestamp()
    report.extend(judge_certificate(ends_at, scene.clock.now()))
    return True


def _json(octets: bytes) -> Any:
    try:
        return json.loads(octets)
    except ValueError:
        return None
