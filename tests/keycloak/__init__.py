"""keyturn compared with a real Keycloak."""
