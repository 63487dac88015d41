"""Access tokens: issuing them, checking them, and telling what the realm's endpoints can do."""
