"""A client's side of private_key_jwt: its keys, where they are published, tokens for httpx, rotation."""
