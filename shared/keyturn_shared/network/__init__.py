"""Fetching URLs chosen by strangers, none of which may reach keyturn's own network."""

from keyturn_shared.network.answer import FetchResult
from keyturn_shared.network.fetcher import FetchPolicy, GuardedFetcher
from keyturn_shared.network.refusal import FetchRefused

__all__ = ["FetchPolicy", "FetchRefused", "FetchResult", "GuardedFetcher"]
