"""``keyturn migrate``: moving a Keycloak's realms, and comparing both sides."""
