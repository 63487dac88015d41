"""Anything that callers may send to the admin API, against a real process of the credentials service.

python -m tests.fuzz_admin [--examples 100] [--uploads 1000] [--seed 1]
"""
