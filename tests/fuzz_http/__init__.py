"""HTTP fuzzing: streams from a grammar of parser disagreements, to keyturn's servers and to others.

python -m tests.fuzz_http [--minutes 10] [--seed 0]
"""
