"""Settings of the simulated fleet: a real one's, several times shorter, so that a run sees more."""

from typing import Final

from keyturn_shared.fleet.relay_channel import LeaseTerms
from keyturn_shared.signed_log.keys import LogSigningKeys

LEASE: Final = LeaseTerms(seconds=2.0, margin=0.22)
RENEWAL_SECONDS: Final = 0.4
RELAY_LEASE_SECONDS: Final = 1.5
ALONE_MS: Final = 600
STREAM_LENGTH: Final = 10
"""So short that a node which hears nothing for a while finds its place trimmed."""

CLOCK_RATE: Final = 0.05
"""Relative error of a clock's speed: two clocks stay within the margin."""
CLOCK_SKEW: Final = 0.4
"""Error of a wall clock at the start of a run, in seconds."""

ASSERTION_LIFETIME: Final = 6.0
LEEWAY: Final = 3.0
"""``KEYTURN_CLOCK_SKEW``: any two wall clocks differ by less."""

ANSWER_SECONDS: Final = 1.2
MEMBERSHIP_SECONDS: Final = 0.8
WALL: Final = 1_700_000_000.0

LOG: Final = "00000000-0000-4000-8000-00000000000a"
LOG_KEYS: Final = LogSigningKeys([b"l" * 32])
