"""What can be done to realms and clients. Each operation is one transaction with its event."""
