"""The migration from Keycloak, piece by piece."""
