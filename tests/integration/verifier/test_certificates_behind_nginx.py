"""deploy/nginx/client-certificates.conf in a real nginx: the node relies on what it forwards."""

from pathlib import Path
from urllib.parse import quote

import httpx

from keyturn_shared.projection import RealmProjection
from tests.integration.verifier.node_process import NodeProcess
from tests.testkit.certificates import Issued, issue, make_authority
from tests.testkit.client_certificates_nginx import serve_with_client_certificates
from tests.testkit.filled_redis import Filling, client_of
from tests.testkit.ports import find_free_port
from tests.testkit.processes import Processes
from tests.testkit.tls import ServerTls, trusting

ROOT = make_authority("CN=Root")


async def test_clients_with_certificates_are_known_behind_nginx_and_headers_of_theirs_are_not_believed(
    filling: Filling,
    realm: RealmProjection,
    redis_url: str,
    processes: Processes,
    nginx: Path,
    tmp_path: Path,
) -> None:
    own, named = issue(None, "CN=self"), issue(ROOT)
    x509 = {"authenticator": "client-x509"}
    jwks = {"keys": [own.public_jwk]}
    await filling.change(realm, client_of(realm, "self", **x509, x509_self_signed=True, jwks=jwks))
    await filling.change(realm, client_of(realm, "named", **x509, x509_subject_dn="CN=worker,O=Acme"))
    (tmp_path / "authorities.pem").write_bytes(ROOT.pem)
    node = await NodeProcess.start(
        processes,
        redis_url,
        KEYTURN_CLIENT_CERT_PROXIES="127.0.0.1",
        KEYTURN_CLIENT_CERT_FORM="pem",
        KEYTURN_CLIENT_AUTHORITIES_PATH=str(tmp_path / "authorities.pem"),
    )
    tls, port = ServerTls.make(tmp_path), find_free_port()
    await serve_with_client_certificates(nginx, processes, tmp_path, node.base_url, tls, port)
    url = f"https://127.0.0.1:{port}/realms/acme/protocol/openid-connect/token"

    async def ask(client_id: str, certificate: Issued | None = None, **headers: str) -> int:
        context = trusting(tls, tmp_path, certificate)
        async with httpx.AsyncClient(verify=context, trust_env=False) as http:
            form = {"grant_type": "client_credentials", "client_id": client_id}
            return (await http.post(url, data=form, headers=headers)).status_code

    assert await ask("self", own) == 200
    assert await ask("named", named) == 200
    assert await ask("self", named) == 401
    assert await ask("named", own) == 401
    assert await ask("named", issue(None, "CN=worker,O=Acme")) == 401, "the right name, signed by nobody"
    assert await ask("self") == 401
    for name in ("Ssl-Client-Cert", "ssl-client-cert", "Ssl_Client_Cert"):
        assert await ask("self", None, **{name: quote(own.pem)}) == 401, name
        assert await ask("self", named, **{name: quote(own.pem)}) == 401, name
