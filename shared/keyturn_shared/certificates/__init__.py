"""Client certificates (RFC 8705): the names by which one is recognised. Pure, but for ``cryptography``."""
