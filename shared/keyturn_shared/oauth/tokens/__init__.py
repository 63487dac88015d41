"""Access tokens: issuing and checking them, and the metadata of the realm's endpoints."""
