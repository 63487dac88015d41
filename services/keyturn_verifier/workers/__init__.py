"""A node as several processes: a parent that accepts connections, and workers that answer on them."""
