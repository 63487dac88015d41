"""Fetching URLs that strangers chose: none of them may reach into the network that keyturn is in."""

from keyturn_shared.network.fetcher import FetchPolicy, FetchResult, GuardedFetcher
from keyturn_shared.network.refusal import FetchRefused

__all__ = ["FetchPolicy", "FetchRefused", "FetchResult", "GuardedFetcher"]
