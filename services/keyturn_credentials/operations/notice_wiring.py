"""Wiring of notices."""

import os
import socket
import uuid

from prometheus_client import CollectorRegistry

from keyturn_credentials.operations.certificate_ends import CertificateEnds
from keyturn_credentials.operations.notice_changes import NoticeWriter
from keyturn_credentials.operations.notice_judgement import Healths, NoticeJudgement
from keyturn_credentials.operations.notice_loop import NoticeLoop
from keyturn_credentials.operations.notice_sender import NoticeSender
from keyturn_credentials.operations.notice_sweep import NoticeSweep
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.unit_of_work import Store
from keyturn_shared.clock import Clock
from keyturn_shared.network.fetcher import GuardedFetcher


def build_notices(
    store: Store, clock: Clock, metrics: CollectorRegistry, settings: CredentialsSettings, healths: Healths
) -> NoticeLoop:
    receiver = settings.receiver()
    sender = None
    if receiver is not None:
        # It has a fetcher of its own, so that it shares no connection with a client's JWKS URL.
        fetcher = GuardedFetcher(tls=settings.jwks_tls(), proxy=settings.proxy())
        sender = NoticeSender(store, clock, fetcher, receiver)
    sweep = NoticeSweep(
        store,
        clock,
        NoticeJudgement(store, clock, healths),
        NoticeWriter(store, announces=receiver is not None, base_url=settings.base_url),
        CertificateEnds(store),
    )
    holder = f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid.uuid4()}"
    return NoticeLoop(
        store, clock, sweep, sender, metrics, seconds=settings.notices_check_seconds, holder=holder
    )
