"""``keyturn key-wrapping``: makes, wraps and rewraps keys of the rings."""
