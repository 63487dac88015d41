"""Key sets from JWKS URLs as the fleet shares them: names in Redis, the record, inspection.

The verifiers fetch and write them; the console and the command line only read, see ``inspection``.
"""
