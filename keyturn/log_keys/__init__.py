"""``keyturn log-keys``: generation of the keys that sign the log, and their public halves."""
