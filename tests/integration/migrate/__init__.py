"""The migration from Keycloak, against real databases and servers."""
