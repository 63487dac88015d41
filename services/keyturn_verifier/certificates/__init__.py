"""Client certificates (RFC 8705) as requests bring them: found, read, and their chains checked."""
