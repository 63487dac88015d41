"""``keyturn backup`` and ``keyturn restore``."""
