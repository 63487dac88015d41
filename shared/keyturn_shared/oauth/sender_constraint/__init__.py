"""Tokens bound to a key (``cnf``, RFC 7800): by certificate (RFC 8705 section 3) and by DPoP (RFC 9449)."""
