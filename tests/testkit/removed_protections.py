"""A verifier without its protections. Each function returns a context in which one of them is missing."""

from contextlib import AbstractContextManager
from unittest.mock import patch

from keyturn_shared.oauth.tokens import ended_tokens
from keyturn_verifier.replica.replica import Replica

Without = AbstractContextManager[object]


def answer_without_a_lease() -> Without:
    return patch.object(Replica, "require_lease", lambda self: None)


def count_no_ended_tokens() -> Without:
    """Ignore ended tokens in checks; they are issued as usual."""
    return patch.object(ended_tokens, "generation_of", lambda realm, client: 0)
