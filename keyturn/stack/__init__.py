"""The local stack: Redis, the credentials service and verifier nodes behind one base URL, on one machine."""
