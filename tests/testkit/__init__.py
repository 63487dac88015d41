"""Helpers for several directories of tests, or for tests and benchmarks. Nothing here is a test."""
