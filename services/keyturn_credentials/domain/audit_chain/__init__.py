"""The chain of the audit log: what is hashed, what is signed, and how both are checked. Pure."""
