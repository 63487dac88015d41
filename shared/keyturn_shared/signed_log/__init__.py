"""The signed log: projections, events and the head carry the Ed25519 signature of their only legitimate
author.

The credentials service holds the private keys. Readers of the log hold public keys and need not trust
anything in between: Redis can withhold what is signed, but cannot forge anything.
"""
