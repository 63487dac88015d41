"""Attacks through JWKS URLs: one table, run against the real fetcher, shown in docs/key-sets-guards.md."""
