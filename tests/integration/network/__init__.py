"""Attacks through JWKS URLs: one table, tried against the real fetcher, shown in docs/key-sets-guards.md."""
