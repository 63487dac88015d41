"""Operations on realms and clients. Each is one transaction with its event."""
