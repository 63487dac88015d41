"""Client authentication: from the credentials in a request to an authenticated client, or a refusal."""
