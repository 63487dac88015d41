"""The verifier service: nodes that check client credentials and tokens from memory, and the key set fetcher."""
