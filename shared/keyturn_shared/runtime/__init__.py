"""Concurrency: tasks that survive errors, calls that callers share, calls in batches."""
