"""A real Keycloak from Maven Central, for commands that compare keyturn with it or move its clients."""

from tests.testkit.keycloak.distribution import VERSION, keycloak_home
from tests.testkit.keycloak.server import RunningKeycloak

__all__ = ["VERSION", "RunningKeycloak", "keycloak_home"]
