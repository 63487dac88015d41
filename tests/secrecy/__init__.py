"""A whole stack is used in every way it has; no secret and no private key is in anything it leaves behind."""
