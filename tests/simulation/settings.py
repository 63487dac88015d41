"""The settings of the simulated fleet: those of a real one, a few times shorter, so that a run meets more."""

from typing import Final

from keyturn_shared.fleet.relay_channel import LeaseTerms

LEASE: Final = LeaseTerms(seconds=2.0, margin=0.22)
RENEWAL_SECONDS: Final = 0.4
RELAY_LEASE_SECONDS: Final = 1.5
ALONE_MS: Final = 600
STREAM_LENGTH: Final = 10
"""So short that a node which hears nothing for a while finds its place trimmed."""

CLOCK_RATE: Final = 0.05
"""How much faster or slower than true time a clock may run: two of them stay within the margin."""
CLOCK_SKEW: Final = 0.4
"""How wrong a wall clock may be, in seconds, when the run begins."""

ASSERTION_LIFETIME: Final = 6.0
LEEWAY: Final = 3.0
"""``KEYTURN_CLOCK_SKEW``: any two wall clocks differ by less."""

ANSWER_SECONDS: Final = 1.2
MEMBERSHIP_SECONDS: Final = 0.8
WALL: Final = 1_700_000_000.0
