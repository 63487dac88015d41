"""A node that serves TLS itself asks clients for certificates, and trusts only its authorities."""

import asyncio
from pathlib import Path

import httpx
import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from keyturn_shared.oauth.certificates.client_certificate import read_client_certificate
from keyturn_shared.projection import RealmProjection
from tests.integration.verifier.node_process import NodeProcess
from tests.testkit.certificates import issue, make_authority
from tests.testkit.filled_redis import Filling, client_of
from tests.testkit.processes import Processes
from tests.testkit.tls import ServerTls, trusting

ROOT, OTHER = make_authority("CN=Root"), make_authority("CN=Other")
CLIENT = {"grant_type": "client_credentials", "client_id": "worker"}


async def test_a_client_proves_itself_in_the_handshake(
    filling: Filling, realm: RealmProjection, redis_url: str, processes: Processes, tmp_path: Path
) -> None:
    client = client_of(
        realm,
        "worker",
        authenticator="client-x509",
        x509_subject_dn="CN=worker,O=Acme",
        mtls_bound_tokens=True,
    )
    await filling.change(realm, client)
    tls = ServerTls.make(tmp_path)
    (tmp_path / "authorities.pem").write_bytes(ROOT.pem)
    node = await NodeProcess.start(
        processes,
        redis_url,
        scheme="https",
        KEYTURN_TLS_CERTIFICATE_PATH=str(tls.certificate),
        KEYTURN_TLS_KEY_PATH=str(tls.key),
        KEYTURN_CLIENT_AUTHORITIES_PATH=str(tmp_path / "authorities.pem"),
        KEYTURN_REQUEST_SECONDS="1",
    )
    url = f"{node.base_url}/realms/acme/protocol/openid-connect/token"
    between = make_authority("CN=Between", ROOT)
    good = issue(between)
    async with httpx.AsyncClient(verify=trusting(tls, tmp_path, good, between), trust_env=False) as http:
        answer = await http.post(url, data=CLIENT)
        assert answer.status_code == 200, answer.text
        token = answer.json()["access_token"]
        forward_auth = f"{node.base_url}/realms/acme/forward-auth"
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await http.get(forward_auth, headers=bearer)).status_code == 204
        metadata = (await http.get(f"{node.base_url}/realms/acme/.well-known/openid-configuration")).json()
        assert "tls_client_auth" in metadata["token_endpoint_auth_methods_supported"]
        assert "self_signed_tls_client_auth" not in metadata["token_endpoint_auth_methods_supported"]
    async with httpx.AsyncClient(
        verify=trusting(tls, tmp_path, issue(ROOT, "CN=other")), trust_env=False
    ) as http:
        assert (await http.post(url, data=CLIENT)).status_code == 401
        assert (await http.get(forward_auth, headers=bearer)).status_code == 401, "another certificate"
    async with httpx.AsyncClient(verify=trusting(tls, tmp_path), trust_env=False) as http:
        claimed = {"Client-Cert": f":{read_client_certificate(good.der).thumbprint}:"}
        assert (await http.post(url, data=CLIENT, headers=claimed)).status_code == 401, (
            "a header says nothing"
        )
        assert (await http.get(forward_auth, headers=bearer)).status_code == 401, "no certificate"
    # The settings reach the protocol: a late request is given up.
    host, port = node.base_url.removeprefix("https://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), ssl=trusting(tls, tmp_path))
    writer.write(b"POST /realms/acme/protocol/openid-connect/token HTTP/1.1\r\n")
    async with asyncio.timeout(8):
        assert (await reader.read()).startswith(b"HTTP/1.1 408")
    writer.close()
    for_servers = make_authority("CN=Servers", ROOT, usages=(ExtendedKeyUsageOID.SERVER_AUTH,))
    for untrusted, *chain in ([issue(OTHER)], [issue(None)], [issue(for_servers), for_servers]):
        context = trusting(tls, tmp_path, untrusted, *chain)
        async with httpx.AsyncClient(verify=context, trust_env=False) as http:
            with pytest.raises((httpx.ReadError, httpx.ConnectError, httpx.RemoteProtocolError)):
                await http.post(url, data=CLIENT)
