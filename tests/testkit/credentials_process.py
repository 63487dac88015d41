"""Environment of a separate credentials process."""

import os

from keyturn_credentials.settings import CredentialsSettings


def environment(settings: CredentialsSettings, port: int) -> dict[str, str]:
    """Return this process's variables, with these settings in place of any other of keyturn's."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("KEYTURN_")}
    secret = settings.bootstrap_admin_client_secret
    return others | {
        "KEYTURN_DATABASE_URL": settings.database_url,
        "KEYTURN_REDIS_URL": settings.redis_url,
        "KEYTURN_PUBLIC_URL": settings.base_url,
        "KEYTURN_PORT": str(port),
        "KEYTURN_ENCRYPTION_KEYS": settings.encryption_keys.get_secret_value(),
        "KEYTURN_FLEET_KEYS": settings.fleet_keys.get_secret_value(),
        "KEYTURN_NOTICES_CHECK_SECONDS": str(settings.notices_check_seconds),
        "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_ID": settings.bootstrap_admin_client_id,
        "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_SECRET": secret.get_secret_value() if secret else "",
    }
