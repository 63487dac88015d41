"""Shadow mode, piece by piece."""
