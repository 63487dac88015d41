"""The verifier service: nodes that check credentials and tokens from memory, and the fetcher of key sets."""
