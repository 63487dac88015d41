"""``keyturn audit verify`` and ``keyturn audit accept``."""
