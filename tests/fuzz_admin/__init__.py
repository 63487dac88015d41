"""Fuzzing of the admin API of a real credentials process.

python -m tests.fuzz_admin [--examples 100] [--uploads 1000] [--seed 1]
"""
