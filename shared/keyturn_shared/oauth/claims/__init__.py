"""Claims of a client's access tokens: what its roles, scopes and protocol mappers give it now. Pure."""
