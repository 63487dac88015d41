"""``python -m keyturn_credentials``: one process of the credentials service, configured by ``KEYTURN_*``."""

from keyturn_credentials.process import run
from keyturn_credentials.settings import CredentialsSettings

if __name__ == "__main__":
    run(CredentialsSettings())  # type: ignore[call-arg]  # the keys come from the environment
