"""Mutants of the code behind the guarantee: deliberate faults, which the tests must detect."""
