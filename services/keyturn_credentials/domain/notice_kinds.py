"""Kinds of notices about clients and realm keys. ``docs/notices.md`` explains each of them.

``keyturn doctor`` reports the same ones, by the same judgement.
"""

from typing import Final

from keyturn_credentials.domain.diagnosis import Diagnosis, Severity

KEY_SET_UNUSABLE: Final = Diagnosis(
    "key_set_unusable",
    Severity.PROBLEM,
    "The client's JWKS URL fails and no earlier keys may be used: its assertions are refused.",
    "See keyturn jwks inspect URL. Usually the client's server, its certificate or egress is at fault.",
)
KEY_SET_FAILING: Final = Diagnosis(
    "key_set_failing",
    Severity.WARNING,
    "The client's JWKS URL keeps failing. Nodes use the keys from before for a while.",
    "See keyturn jwks inspect URL. Usually the client's server, its certificate or egress is at fault.",
)
SECRET_UNREADABLE: Final = Diagnosis(
    "secret_unreadable",
    Severity.PROBLEM,
    "The client's stored secret cannot be decrypted. Nodes still accept it, unless the client signs with it;"
    " it is shown to nobody.",
    "If keyturn doctor reports database_key_missing, add that key: nothing is lost. Otherwise regenerate the"
    " secret.",
)
SECRET_ENDED: Final = Diagnosis(
    "secret_ended",
    Severity.PROBLEM,
    "The client's secret has expired: the client is refused.",
    "Regenerate the secret and give it to the client, or disable the client if it is no longer used.",
)
SECRET_ENDING: Final = Diagnosis(
    "secret_ending",
    Severity.WARNING,
    "No rotation of the secret is open and none begins by policy: the client will be refused.",
    "Start a rotation: keyturn rotations start CLIENT.",
)
CERTIFICATE_ENDED: Final = Diagnosis(
    "certificate_ended",
    Severity.WARNING,
    "The client's certificate has expired. Over mutual TLS it is refused.",
    "Import a new certificate: keyturn keys import CLIENT FILE.",
)
CERTIFICATE_ENDING: Final = Diagnosis(
    "certificate_ending",
    Severity.WARNING,
    "No rotation of the client's key is open. Over mutual TLS it will be refused.",
    "Start a rotation of the key, or import a new certificate: keyturn keys import CLIENT FILE.",
)
REALM_KEY_OVERDUE: Final = Diagnosis(
    "realm_key_overdue",
    Severity.PROBLEM,
    "A signing key of the realm should have been replaced: the credentials service's upkeep does not work.",
    "Look at the log of the credentials service, and at keyturn_upkeep_rounds_total.",
)
ROTATION_ALERT: Final = Diagnosis(
    "rotation_alert",
    Severity.WARNING,
    "A rotation waits for its client longer than it should.",
    "Give the client its new credential. See keyturn rotations show ID.",
)

OF_KEY_SETS: Final = (KEY_SET_UNUSABLE, KEY_SET_FAILING)
OF_EXPIRY: Final = (
    *(SECRET_UNREADABLE, SECRET_ENDED, SECRET_ENDING, CERTIFICATE_ENDED, CERTIFICATE_ENDING),
    *(REALM_KEY_OVERDUE, ROTATION_ALERT),
)
KINDS: Final = {kind.code: kind for kind in (*OF_KEY_SETS, *OF_EXPIRY)}
"""All of them, by code."""
