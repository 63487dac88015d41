"""The time before an end at which people are told of it: an attribute of the realm. Pure."""

from collections.abc import Mapping
from typing import Final

from keyturn_credentials.domain import attributes
from keyturn_credentials.errors import InvalidRequestError

DEFAULT_LEAD_SECONDS: Final = 14 * 86_400.0
MIN_LEAD_SECONDS: Final = 60
MAX_LEAD_SECONDS: Final = 366 * 86_400


def lead_seconds(values: Mapping[str, str]) -> float:
    """Return the lead that a realm's attributes set, in seconds; the default if an earlier release stored an
    invalid one."""
    try:
        return read_lead(values)
    except InvalidRequestError:
        return DEFAULT_LEAD_SECONDS


def read_lead(values: Mapping[str, str]) -> float:
    """Return the lead that a realm's attributes set, in seconds. Raises InvalidRequestError."""
    text = values.get(attributes.NOTICE_LEAD, "").strip()
    if not text:
        return DEFAULT_LEAD_SECONDS
    is_number = text.isascii() and text.isdigit() and len(text) <= 9
    if not is_number or not MIN_LEAD_SECONDS <= int(text) <= MAX_LEAD_SECONDS:
        raise InvalidRequestError(
            f"{attributes.NOTICE_LEAD} must be {MIN_LEAD_SECONDS} to {MAX_LEAD_SECONDS} seconds"
        )
    return float(text)
