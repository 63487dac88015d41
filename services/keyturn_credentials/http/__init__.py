"""HTTP for all that this service serves: who calls through which proxies, bodies, and problems (RFC 9457)."""
