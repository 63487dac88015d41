"""``keyturn realm-keys``: the keys of some realms, for nodes limited to these."""

import asyncio
import sys
from collections.abc import Sequence

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from keyturn.services import run_configured
from keyturn.wrapped_keys.unwrapping import settings_with_keys
from keyturn_credentials.errors import NotFoundError
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.errors import map_driver_errors
from keyturn_credentials.store.event_log import DatabaseEventLog
from keyturn_credentials.store.realms import Realms
from keyturn_shared.clock import SystemClock
from keyturn_shared.named_setting import named_setting
from keyturn_shared.projection import decode_realm, projection_value, realm_field
from keyturn_shared.realm_rings import FleetRing, LimitedRings


class RealmKeySettings(BaseSettings):
    """The settings of the credentials service that determine the realms' ids and keys."""

    model_config = SettingsConfigDict(env_prefix="KEYTURN_", extra="ignore", hide_input_in_errors=True)

    database_url: str
    fleet_keys: SecretStr


def run(names: Sequence[str]) -> int:
    """Print the keys of these realms for KEYTURN_REALM_KEYS, and nothing else on standard output. Return the
    exit code."""

    def work() -> None:
        settings = settings_with_keys(RealmKeySettings)
        with named_setting("KEYTURN_FLEET_KEYS"):
            fleet = FleetRing.read(settings.fleet_keys.get_secret_value())
        keys, unsealed = asyncio.run(_keys_of(settings.database_url, fleet, list(dict.fromkeys(names))))
        sys.stdout.write(keys + "\n")
        for name in unsealed:
            sys.stderr.write(
                f"keyturn: the projections of realm {name} are not sealed under its own keys yet:"
                " set KEYTURN_REALM_SEALS of the credentials service\n"
            )

    return run_configured(work)


async def _keys_of(database_url: str, fleet: FleetRing, names: Sequence[str]) -> tuple[str, list[str]]:
    """Return the keys as text, and names of the realms that they cannot decrypt yet. Raises NotFoundError,
    StoreUnavailableError, ConfigurationError."""
    database = Database(database_url, pool_size=1)
    log = DatabaseEventLog(database, SystemClock())
    try:
        texts, unsealed = [], []
        for name in names:
            with map_driver_errors():
                async with database.reading() as connection:
                    realm = await Realms(connection).get(name)
            if realm is None:
                raise NotFoundError(f"realm {name} does not exist")
            texts.append(fleet.keys_of(realm.id))
            projected = await log.projection(realm_field(name))
            if not _opens(texts[-1], realm.id, projected):
                unsealed.append(name)
        return ",".join(texts), unsealed
    finally:
        await database.close()


def _opens(keys: str, realm_id: str, projected: tuple[int, bytes] | None) -> bool:
    if projected is None:
        return False
    _, realm = decode_realm(projection_value(*projected))
    ring = LimitedRings.from_text(keys).require(realm_id)
    sealed = [key.sealed_private_jwk for key in realm.signing_keys if key.sealed_private_jwk is not None]
    return all(map(ring.knows, sealed))
