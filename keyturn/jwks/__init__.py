"""``keyturn jwks``: what the fleet knows of clients' JWKS URLs, and having one fetched now."""
