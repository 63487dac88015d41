"""Fuzzing: readers refuse any input with an error of their own, and endpoints answer.

python -m tests.fuzz [--minutes 10] [--seed 0]
"""
