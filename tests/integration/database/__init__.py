"""The credentials service with its databases."""
