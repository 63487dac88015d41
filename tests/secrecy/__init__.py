"""A whole stack is used in every way; nothing it leaves behind contains a secret or a private key."""
