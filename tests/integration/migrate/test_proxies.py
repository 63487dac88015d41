"""Secrets of a migration go to the Keycloak, and through no proxy of the environment."""

from datetime import timedelta

import pytest

from keyturn.migrate.keycloak import Administrator, Keycloak, KeycloakError
from keyturn_shared.secret import Secret
from tests.testkit.http_receiver import Answer, Receiver


async def test_the_administrators_secret_is_not_sent_to_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver(lambda request: Answer(401)) as keycloak, Receiver(lambda request: Answer(401)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        reader = Keycloak(
            keycloak.url,
            Administrator("admin", Secret("the-secret")),
            first_pause=timedelta(milliseconds=1),
        )
        with pytest.raises(KeycloakError, match="cannot get a token"):
            await reader.get("admin/realms/shop")
        await reader.close()
    assert [len(keycloak.requests), len(proxy.requests)] == [1, 0]
