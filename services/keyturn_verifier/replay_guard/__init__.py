"""Single use of assertions across the fleet."""
