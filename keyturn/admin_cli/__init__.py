"""The commands for administrators: calls of the admin API, from any machine."""
