"""JOSE as keyturn reads and writes it: JWS compact serialization, JWK Sets, thumbprints, times of claims.

A thin layer over ``cryptography`` and msgspec for the verifiers' hot path. A token passes ``parse_compact`` →
``require_algorithm`` → ``verify_with_key_set`` or ``verify_signature`` → ``check_times``; each step raises a
JoseError whose ``code`` is the refusal code.
"""
