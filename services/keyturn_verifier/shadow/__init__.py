"""Shadow mode: a share of introspections is asked of another server too, and differences are counted."""
