"""Names in client certificates (RFC 8705), by which clients are recognised. Pure, except for
``cryptography``."""
