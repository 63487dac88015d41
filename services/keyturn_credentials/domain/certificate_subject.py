"""Recognition of a ``client-x509`` client's certificate: by one name, or by its key (RFC 8705 section 2)."""

from collections.abc import Mapping
from typing import Final

from keyturn_credentials.domain import attributes
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.certificates.errors import InvalidNameError
from keyturn_shared.certificates.subjects import NameKind, SubjectName

_KINDS: Final[Mapping[str, NameKind]] = {
    attributes.X509_SUBJECT_DN: "subject_dn",
    attributes.X509_SAN_DNS: "san_dns",
    attributes.X509_SAN_URI: "san_uri",
    attributes.X509_SAN_IP: "san_ip",
    attributes.X509_SAN_EMAIL: "san_email",
}


def check_certificate_subject(values: Mapping[str, str]) -> None:
    """Raise InvalidRequestError unless the attributes name exactly one way to recognise a certificate."""
    given = [name for name in _KINDS if values.get(name, "").strip()]
    self_signed = attributes.is_true(values, attributes.X509_SELF_SIGNED)
    if len(given) + self_signed != 1:
        names = ", ".join(_KINDS)
        raise InvalidRequestError(
            f"client-x509 needs exactly one of {names}, or {attributes.X509_SELF_SIGNED}; {len(given)} given"
            if not self_signed
            else f"{attributes.X509_SELF_SIGNED} uses the client's keys and excludes {given[0]}"
        )
    for name in given:
        is_pattern = name == attributes.X509_SUBJECT_DN and attributes.is_true(values, attributes.X509_REGEX)
        _read("subject_pattern" if is_pattern else _KINDS[name], name, values[name])
    issuer = values.get(attributes.X509_CA_SUBJECT_DN, "")
    if issuer.strip():
        _read("subject_dn", attributes.X509_CA_SUBJECT_DN, issuer)


def _read(kind: NameKind, name: str, text: str) -> None:
    try:
        SubjectName.read(kind, text)
    except InvalidNameError as error:
        raise InvalidRequestError(f"{name}: {error.detail}") from error
