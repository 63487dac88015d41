"""Benchmarks of the key sets: polling at scale, junk kids, rotations (``python -m benchmarks.key_sets``)."""
