"""Failures of PostgreSQL, Redis Cluster and Redis Sentinel during requests through nginx."""
