"""Entry point that prints the admin API's OpenAPI document, without connecting to anything."""

import json
import sys

from keyturn_credentials.app import build_app
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.web.openapi.routes import openapi_of
from keyturn_shared.sealing import KeyRing
from keyturn_shared.signed_log.keys import LogSigningKeys


def main() -> None:
    keys = {
        "encryption_keys": KeyRing.generate_key(),
        "fleet_keys": KeyRing.generate_key(),
        "log_signing_keys": LogSigningKeys.generate_key(),
    }
    app = build_app(CredentialsSettings.model_validate(keys))
    json.dump(openapi_of(app.state.gate), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
