"""Fetching URLs chosen by strangers, none of which may reach keyturn's own network."""
