"""The credentials service under load, and with a million clients."""
