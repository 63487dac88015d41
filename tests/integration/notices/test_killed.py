"""An instance that is killed while it tells of a notice leaves the webhook to its successor."""

from pathlib import Path

import httpx
from standardwebhooks import Webhook

from keyturn_shared.clock import SystemClock
from tests.testkit.admin_api import ADMIN_ID, settings_for
from tests.testkit.admin_tokens import AdminTokens
from tests.testkit.credentials_instances import READY_SECONDS, Instance
from tests.testkit.credentials_process import environment
from tests.testkit.http_receiver import Answer, Receiver
from tests.testkit.ports import find_free_port
from tests.testkit.single_request import until_ready
from tests.testkit.waiting import wait_until

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ENDING = {"keyturn.secret.expiration-period": "864000", "keyturn.rotation.automatic": "false"}


async def test_it_is_delivered_once_more_with_the_same_id(tmp_path: Path, redis_url: str) -> None:
    settings = settings_for(f"sqlite+aiosqlite:///{tmp_path}/keyturn.db", redis_url)
    port = find_free_port()
    secret_file = tmp_path / "whsec"
    secret_file.write_text(f"{SECRET}\n")
    with Receiver(lambda request: Answer(204)) as receiver:
        receiver.stalled = True
        variables = environment(settings, port) | {
            "KEYTURN_NOTICES_WEBHOOK_URL": receiver.url,
            "KEYTURN_NOTICES_WEBHOOK_SECRET_FILE": str(secret_file),
            "KEYTURN_NOTICES_ALLOWED_NETWORKS": "127.0.0.0/8",
            "KEYTURN_NOTICES_CHECK_SECONDS": "0.2",
        }
        instance = Instance("credentials", port, settings, tmp_path / "log", variables=variables)
        instance.start()
        try:
            await until_ready(instance.url, seconds=READY_SECONDS)
            token = await AdminTokens(settings, SystemClock()).issue("master", ADMIN_ID)
            bearer = {"Authorization": f"Bearer {token}"}
            async with httpx.AsyncClient(base_url=instance.url, headers=bearer, trust_env=False) as http:
                client = {"clientId": "orders", "attributes": ENDING}
                made = await http.post("/admin/realms/master/clients", json=client)
                assert made.status_code == 201, made.text
            await wait_until(lambda: receiver.requests)
            instance.kill()
            receiver.stalled = False
            instance.start()
            await until_ready(instance.url, seconds=READY_SECONDS)
            await wait_until(lambda: len(receiver.requests) == 2, timeout=120)
            async with httpx.AsyncClient(base_url=instance.url, headers=bearer, trust_env=False) as http:

                async def is_delivered() -> bool:
                    found = (await http.get("/admin/realms/master/notices")).json()
                    return [each["delivery"] for each in found] == ["delivered"]

                await wait_until(is_delivered)
        finally:
            instance.kill()
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    for request in (first, second):
        Webhook(SECRET).verify(request.body, request.headers)
