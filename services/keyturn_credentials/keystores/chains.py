"""Order of certificates by issuer."""

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509

from keyturn_credentials.keystores.certificates import is_issued_by, is_self_issued, is_valid_at, subject_of
from keyturn_credentials.keystores.errors import BrokenChainError
from keyturn_shared.keystores.errors import LimitExceededError
from keyturn_shared.keystores.limits import MAX_CHAIN, MAX_SIGNATURE_CHECKS

Chain = tuple[x509.Certificate, ...]


def issuers_of(leaf: x509.Certificate, pool: Sequence[x509.Certificate], now: datetime) -> Chain:
    """Return the leaf and its issuers, as far as the pool has them, leaf first. If several could have issued
    one (a key certified twice), one that is valid at ``now`` is preferred. Raises LimitExceededError."""
    candidates = sorted(pool, key=lambda certificate: not is_valid_at(certificate, now))
    issued_by = _IssuerChecks()
    chain = [leaf]
    while not is_self_issued(chain[-1]):
        issuer = next((c for c in candidates if c not in chain and issued_by(chain[-1], c)), None)
        if issuer is None:
            break
        if len(chain) == MAX_CHAIN:
            raise LimitExceededError(f"a chain of more than {MAX_CHAIN} certificates")
        chain.append(issuer)
    return tuple(chain)


def ordered(certificates: Sequence[x509.Certificate], now: datetime) -> Chain:
    """Order all these certificates into one chain, leaf first. Duplicates count once. Raises
    BrokenChainError, LimitExceededError."""
    distinct = list(dict.fromkeys(certificates))
    if len(distinct) > MAX_CHAIN:
        raise LimitExceededError(f"{len(distinct)} certificates, more than the {MAX_CHAIN} of a chain")
    issued_by = _IssuerChecks()
    leaves = [
        certificate
        for certificate in distinct
        if not any(issued_by(other, certificate) for other in distinct if other is not certificate)
    ]
    if len(leaves) != 1:
        raise BrokenChainError(
            f"the certificates are not one chain: {_listed(leaves or distinct)} each begin one"
        )
    chain = issuers_of(leaves[0], distinct, now)
    if len(chain) != len(distinct):
        rest = [certificate for certificate in distinct if certificate not in chain]
        raise BrokenChainError(f"not in the chain of {subject_of(leaves[0])}: {_listed(rest)}")
    return chain


class _IssuerChecks:
    """``is_issued_by`` with a limit on the number of checks, so that no file takes long."""

    def __init__(self) -> None:
        self._left = MAX_SIGNATURE_CHECKS

    def __call__(self, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
        if certificate.issuer != issuer.subject:
            return False
        if not self._left:
            raise LimitExceededError("too many certificates of the same name")
        self._left -= 1
        return is_issued_by(certificate, issuer)


def _listed(certificates: Sequence[x509.Certificate]) -> str:
    return "; ".join(subject_of(certificate) for certificate in certificates[:5])
