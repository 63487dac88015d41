"""Batches of projections for refilling Redis."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Final

from keyturn_credentials.relay.event_log import ProjectionBatch, ProjectionRow
from keyturn_shared.signed_log.signer import LogSigner
from keyturn_shared.tasks import end_tasks

_SIGNED_AT_ONCE: Final = 50


async def read_ahead(
    batches: AsyncIterator[ProjectionBatch],
) -> AsyncGenerator[ProjectionBatch, None]:
    """Yield the batches and read the next one while the caller processes one. The caller must close the
    generator."""
    reading = asyncio.create_task(_next(batches))
    try:
        while batch := await reading:
            reading = asyncio.create_task(_next(batches))
            yield batch
    finally:
        await end_tasks(reading)


async def sign_rows(signer: LogSigner, rows: Sequence[ProjectionRow]) -> list[ProjectionRow]:
    """Sign rows without a signature of the current key, and let other tasks run in between: after a change of
    key or build, all rows need one."""
    signed = []
    since = 0
    for field, sequence, body in rows:
        if not signer.is_current(body):
            since += 1
            if since % _SIGNED_AT_ONCE == 0:
                await asyncio.sleep(0)
        signed.append((field, sequence, signer.projection(field, sequence, body)))
    return signed


async def _next(batches: AsyncIterator[ProjectionBatch]) -> ProjectionBatch | None:
    """Return the next batch, or None at the end."""
    return await anext(batches, None)
