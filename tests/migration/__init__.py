"""``make migrate-proof``: the clients of a real Keycloak are moved, compared and used."""
