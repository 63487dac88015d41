"""The credentials service: the system of record for clients, secrets, keys and realms."""
