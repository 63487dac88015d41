"""``keyturn admin``: administrators, from beside the database."""
