"""A node: it follows the events, keeps states in memory, and holds a lease or does not answer."""
