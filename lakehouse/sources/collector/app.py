"""POST /v1/events: 202 once the events are on disk. What cannot be taken now is answered 429, what never can 4xx, each with the reason."""

from __future__ import annotations

import asyncio
import threading
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lakehouse.sources.batches import Place
from lakehouse.sources.collector.events import BatchRefused, Events
from lakehouse.sources.collector.journal import Journal

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse

BODY_LIMIT = 1 << 20
UNPACKED_LIMIT = 8 << 20
WAITING_LIMIT = 8 << 20
"""Bytes that may wait for the disk at once."""
KEPT_LIMIT = 2 << 30
"""Bytes that may wait for landing: beyond, the store has been away too long."""
LAND_EVERY = 15.0


class TooLarge(Exception):
    """A body beyond a limit; the text says which."""


class Collector:
    """The endpoint's state: what waits for the disk, and the thread that lands."""

    def __init__(self, events: Events, journal: Journal, place: Place, prefix: str) -> None:
        self.events, self.journal, self.place, self.prefix = events, journal, place, prefix
        self.waiting = 0
        self.kept = journal.bytes_kept()
        self.counts = {"accepted": 0, "refused": 0, "answered 429": 0}
        self._stopped = threading.Event()

    async def take(self, request: Request) -> JSONResponse:
        """One batch."""
        from fastapi.responses import JSONResponse

        if self.journal.failed is not None:
            return JSONResponse({"reason": f"the journal cannot be written: {self.journal.failed}"}, 503)
        if self.waiting > WAITING_LIMIT or self.kept > KEPT_LIMIT:
            self.counts["answered 429"] += 1
            wait = 1 if self.kept <= KEPT_LIMIT else 60
            return JSONResponse({"reason": "more arrives than can be kept; try again"}, 429, {"Retry-After": str(wait)})
        try:
            body = _unpacked(await _body(request), request.headers.get("content-encoding", ""))
            checked = self.events.batch(body, datetime.now(UTC))
        except TooLarge as large:
            return JSONResponse({"reason": str(large)}, 413)
        except BatchRefused as refused:
            return JSONResponse({"reason": str(refused)}, 400)
        if checked.lines:
            await self._kept(b"".join(line + b"\n" for line in checked.lines))
            if self.journal.failed is not None:
                return JSONResponse({"reason": f"the journal cannot be written: {self.journal.failed}"}, 503)
        self.counts["accepted"] += len(checked.lines)
        self.counts["refused"] += len(checked.refused)
        answer: dict[str, Any] = {"accepted": len(checked.lines), "refused": checked.refused}
        return JSONResponse(answer, 202 if checked.lines or not checked.refused else 422)

    async def _kept(self, body: bytes) -> None:
        loop, on_disk = asyncio.get_running_loop(), asyncio.Event()
        self.waiting += len(body)


        def written(_: BaseException | None) -> None:
            loop.call_soon_threadsafe(on_disk.set)

        self.journal.write(body, written)
        try:
            await on_disk.wait()
        finally:
            self.waiting -= len(body)

    def keep_landing(self) -> None:
        """Land sealed files until stopped; a store that is away is tried again."""
        from botocore.exceptions import BotoCoreError, ClientError

        while not self._stopped.wait(LAND_EVERY):
            try:
                self.journal.land(self.place, self.prefix)
            except (BotoCoreError, ClientError) as away:
                print(f"collector: the store does not take it ({away}); what is kept stays on disk", flush=True)
            self.kept = self.journal.bytes_kept()

    def stop(self) -> None:
        """End landing and writing; the file of this hour stays for the next start."""
        self._stopped.set()
        self.journal.close()


def application(collector: Collector) -> FastAPI:
    """The web application."""
    from fastapi import FastAPI, Request

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        threading.Thread(target=collector.keep_landing, name="landing", daemon=True).start()
        yield
        await asyncio.to_thread(collector.stop)

    app = FastAPI(title="Collector", lifespan=living, docs_url=None, redoc_url=None, openapi_url=None)

    async def events(request: Request) -> Any:
        return await collector.take(request)

    async def health() -> dict[str, Any]:
        failed = collector.journal.failed
        return {"state": "failed" if failed else "ok", "waiting bytes": collector.waiting, **collector.counts}

    # Annotations are text here and the types are imported late: given as they are.
    events.__annotations__ = {"request": Request}
    health.__annotations__ = {}
    app.add_api_route("/v1/events", events, methods=["POST"], response_model=None)
    app.add_api_route("/health", health, response_model=None)
    return app


async def _body(request: Request) -> bytes:
    told = request.headers.get("content-length", "0")
    if told.isdecimal() and int(told) > BODY_LIMIT:
        raise TooLarge(f"the body has {told} bytes; at most {BODY_LIMIT}. Send several batches, or gzip")
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > BODY_LIMIT:
            raise TooLarge(f"the body is longer than {BODY_LIMIT} bytes. Send several batches, or gzip")
        pieces.append(piece)
    return b"".join(pieces)


def _unpacked(body: bytes, encoding: str) -> bytes:
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise BatchRefused(f"Content-Encoding '{encoding}' is not read. Valid: gzip, or none")
    unpack = zlib.decompressobj(wbits=31)
    try:
        plain = unpack.decompress(body, UNPACKED_LIMIT + 1)
    except zlib.error as broken:
        raise BatchRefused(f"the body is no gzip archive ({broken})") from None
    if len(plain) > UNPACKED_LIMIT:
        raise TooLarge(f"the body unpacks to more than {UNPACKED_LIMIT} bytes. Send several batches")
    if not unpack.eof or unpack.unused_data:
        raise BatchRefused("the gzip archive is cut off, or something follows it")
    return plain
