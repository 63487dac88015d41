"""Client certificates (RFC 8705) of requests: found, parsed, and their chains checked."""
