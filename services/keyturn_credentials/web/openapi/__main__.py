"""Print the document. Nothing is connected for it."""

import json
import sys

from keyturn_credentials.app import build_app
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.web.openapi.routes import openapi_of
from keyturn_shared.sealing import KeyRing


def main() -> None:
    keys = {"encryption_keys": KeyRing.generate_key(), "fleet_keys": KeyRing.generate_key()}
    app = build_app(CredentialsSettings.model_validate(keys))
    json.dump(openapi_of(app.state.gate), sys.stdout, indent=2)
    sys.stdout.write("\n")


main()
