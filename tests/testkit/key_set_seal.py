"""The fetchers' signer for tests that compose it themselves."""

from typing import Final

from keyturn_shared.key_sets.seal import FetcherKeys, KeySetSeal
from keyturn_shared.signed_log.keys import LogSigningKeys

FETCHER_KEYS: Final = LogSigningKeys([b"f" * 32])


def seal() -> KeySetSeal:
    return KeySetSeal(FETCHER_KEYS, FetcherKeys(FETCHER_KEYS.verification()))
