"""Key sets fetched from JWKS URLs, as the fleet shares them: names in Redis, the record, reading it.

The verifiers fetch and write; the console and the command line only read, see ``inspection``.
"""
