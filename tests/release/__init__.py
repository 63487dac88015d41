"""Release checks: the built archives, and what must agree with them."""
