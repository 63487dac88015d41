"""``keyturn jwks``: inspection and refresh of clients' JWKS URLs."""
