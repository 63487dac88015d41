"""A comparison gets a token of a client with a certificate, from the files that the operator gives."""

from pathlib import Path

from keyturn.migrate.compare.credentials import Keys, credential_of
from keyturn.migrate.compare.differences import Granted
from keyturn.migrate.compare.side import Side
from keyturn_credentials.domain.export_reading import read_export
from keyturn_shared.projection import RealmProjection
from tests.integration.verifier.node_process import NodeProcess
from tests.testkit.certificates import issue, make_authority
from tests.testkit.filled_redis import Filling, client_of
from tests.testkit.processes import Processes
from tests.testkit.tls import ServerTls


async def test_a_certificate_from_the_directory_of_keys_gets_a_token(
    filling: Filling, realm: RealmProjection, redis_url: str, processes: Processes, tmp_path: Path
) -> None:
    client = client_of(realm, "worker", authenticator="client-x509", x509_subject_dn="CN=worker,O=Acme")
    await filling.change(realm, client)
    root = make_authority("CN=Root")
    certificate = issue(root)
    (tmp_path / "worker.crt").write_bytes(certificate.pem)
    (tmp_path / "worker.key").write_bytes(certificate.key_pem)
    (tmp_path / "authorities.pem").write_bytes(root.pem)
    tls = ServerTls.make(tmp_path)
    node = await NodeProcess.start(
        processes,
        redis_url,
        scheme="https",
        KEYTURN_TLS_CERTIFICATE_PATH=str(tls.certificate),
        KEYTURN_TLS_KEY_PATH=str(tls.key),
        KEYTURN_CLIENT_AUTHORITIES_PATH=str(tmp_path / "authorities.pem"),
    )
    (worker,) = read_export({"clients": [{"clientId": "worker", "clientAuthenticatorType": "client-x509"}]})
    keys = Keys(tmp_path)
    async with Side("keyturn", node.base_url, "acme", seconds=30, ca_file=tls.authority) as side:
        granted = await side.ask(credential_of(worker, keys), None)
    assert isinstance(granted, Granted)
    assert (granted.claims["client_id"], granted.signature) == ("worker", None)
    assert list(keys.digests()) == ["worker.crt"]
