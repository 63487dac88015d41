"""Access tokens for the admin API, signed with the realms' keys for administrators."""

from typing import Any

from keyturn_credentials.domain.projection_builder import signing_key_context
from keyturn_credentials.domain.realm import KeyPurpose
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.realms import Realms
from keyturn_shared.clock import Clock
from keyturn_shared.jose.signing import SigningKey


class AdminTokens:
    """Tokens as the service would issue them, with keys read from its database."""

    def __init__(self, settings: CredentialsSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._keys: dict[str, SigningKey] = {}

    async def issue(self, realm: str, client_id: str, **claims: Any) -> str:
        """Issue a token valid for five minutes, unless ``claims`` say otherwise."""
        key = self._keys.get(realm)
        if key is None:
            key = self._keys[realm] = await self.key(realm)
        issuer = f"{self._settings.base_url}/realms/{realm}"
        now = int(self._clock.now())
        members: dict[str, Any] = {
            "iss": issuer,
            "sub": client_id,
            "aud": issuer,
            "client_id": client_id,
            "azp": client_id,
        }
        members |= {"iat": now, "exp": now + 300, "jti": "1"}
        return key.sign_compact(key.header_segment("at+jwt"), members | claims)

    def forget_keys(self) -> None:
        """Look the realms' keys up again, after a rotation."""
        self._keys.clear()

    async def key(
        self, realm: str, *, state: str = "active", purpose: KeyPurpose = KeyPurpose.ADMINISTRATORS
    ) -> SigningKey:
        """Return a signing key of a realm from the database."""
        database = Database(self._settings.database_url)
        try:
            async with database.reading() as connection:
                realms = Realms(connection)
                found = await realms.get(realm)
                assert found is not None, realm
                keys = await realms.keys(found.id)
        finally:
            await database.close()
        chosen = next(key for key in keys if key.state == state and key.purpose is purpose)
        assert chosen.sealed_private_jwk is not None
        context = signing_key_context(chosen.kid)
        opened = self._settings.encryption_ring().open(chosen.sealed_private_jwk, context)
        return SigningKey.from_private_jwk(opened)
