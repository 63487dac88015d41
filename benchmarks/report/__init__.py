"""The report: all benchmarks in one run, with tables and charts of what was measured."""
