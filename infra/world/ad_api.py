"""The ad platforms' reporting APIs, simulated: Google's and Meta's ways of asking, figures that mature, and faults on request.

    python -m infra.world.ad_api --port 8100 --faults limited=0.2,cut=0.1

Figures are a function of seed, account, day and the moment of asking: conversions are credited late, clicks that were fraud are taken back
after three days; from 28 days after a day its figures stay. `figures` is the truth that a test compares with.
"""

from __future__ import annotations

import argparse
import json
import re
import threading
import zlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from infra.world.faults import API_SHARE
from infra.world.faults import active as switched_on
from infra.world.randomness import stream

if TYPE_CHECKING:
    from fastapi import FastAPI

FAULTS = {
    "limited": "429 with Retry-After (Meta sometimes: 400 with error code 17)",
    "broken": "503",
    "cut": "a body that ends too early",
    "partial": "200 with some rows and an error beside them",
    "expired": "401: the token is taken back before its time",
    "repeated": "a row of the page before comes again",
}
MATURE = 28
PAGE = 40


@dataclass(frozen=True)
class Account:
    """One advertiser's account: money and days are its own."""

    number: str
    currency: str
    zone: str


ACCOUNTS = {
    "google": (Account("1110001111", "EUR", "Europe/Berlin"), Account("2220002222", "USD", "America/New_York")),
    "meta": (Account("330003", "EUR", "Europe/Berlin"), Account("440004", "GBP", "Europe/London")),
}
GROUPS = 6


@dataclass
class Book:
    """What the platforms know, and how they behave."""

    seed: int = 7
    now: datetime | None = None
    faults: dict[str, float] = field(default_factory=dict)
    switches: Path | None = None
    """Folder in which `python -m infra.world fault api_… on` leaves its switches."""
    asked: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.luck = Random(self.seed)
        self.tokens: set[str] = set()

    def clock(self) -> datetime:
        """The platforms' time: as set, else the clock."""
        return self.now or datetime.now(UTC)

    def figures(self, platform: str, account: Account, day: date, at: datetime) -> list[dict[str, Any]]:
        """Every ad group's figures of a day as the platform shows them at a moment; none of a day that has not begun."""
        here = at.astimezone(ZoneInfo(account.zone))
        age = (here.date() - day).days
        if age < 0:
            return []
        random = stream(self.seed, f"ad api {platform} {account.number}", day.toordinal())
        share = (here.hour + 1) / 24 if age == 0 else 1.0
        credited = 1.0 if age >= MATURE else 1 - 2.0 ** (-(age + 1) / 5)
        rows = []
        for group in range(GROUPS):
            impressions, rate = int(random.poisson(4000)), float(random.beta(3, 60))
            clicks, price = int(random.binomial(impressions, rate)), int(random.integers(20, 90))
            bought, basket, fraud = int(random.binomial(clicks, 0.06)), int(random.integers(2000, 9000)), int(random.integers(0, 4))
            paused = random.random() < 0.1
            clicks -= fraud if age >= 3 and clicks > 10 else 0
            orders = int(bought * credited * share)
            if paused:
                continue
            rows.append({
                "campaign": group // 3, "group": group, "impressions": int(impressions * share), "clicks": int(clicks * share),
                "cents": int(clicks * price * share), "orders": orders, "value_cents": orders * basket,
            })  # fmt: skip
        return rows

    def strikes(self, fault: str) -> bool:
        """Whether a fault happens now."""
        share = self.faults.get(fault, 0)
        if self.switches and f"api_{fault}" in switched_on(self.switches):
            share = max(share, API_SHARE)
        happens = self.luck.random() < share
        self.asked[fault] += happens
        return happens


class Refused(Exception):
    """An answer that is no success: status, body, headers."""

    def __init__(self, status: int, body: dict[str, Any], **headers: str) -> None:
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers


def _account(platform: str, number: str) -> Account:
    for account in ACCOUNTS[platform]:
        if account.number == number:
            return account
    raise Refused(403, {"error": {"code": 403, "message": f"no access to account {number}"}})


def _days(since: str, until: str) -> list[date]:
    first, last = date.fromisoformat(since), date.fromisoformat(until)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _paged(book: Book, rows: list[dict[str, Any]], cursor: str) -> tuple[list[dict[str, Any]], str]:
    at = int(cursor or 0)
    page = rows[at : at + PAGE]
    if at and book.strikes("repeated"):
        page = [rows[at - 1], *page]
    return page, str(at + PAGE) if at + PAGE < len(rows) else ""


def _google_row(account: Account, day: date, row: dict[str, Any]) -> dict[str, Any]:
    number = f"{row['group'] + 1:03d}"
    return {
        "customer": {"id": account.number, "currencyCode": account.currency, "timeZone": account.zone},
        "campaign": {"id": f"10{row['campaign']}", "name": f"Search {row['campaign']}"},
        "adGroup": {"id": f"20{number}", "name": f"Group {number}"},
        "metrics": {
            "impressions": str(row["impressions"]), "clicks": str(row["clicks"]), "costMicros": str(row["cents"] * 10_000),
            "conversions": float(row["orders"]), "conversionsValue": row["value_cents"] / 100,
        },
        "segments": {"date": day.isoformat()},
    }  # fmt: skip


def _meta_row(account: Account, day: date, row: dict[str, Any]) -> dict[str, Any]:
    number = f"{row['group'] + 1:03d}"
    return {
        "account_id": account.number, "account_currency": account.currency, "campaign_id": f"60{row['campaign']}",
        "campaign_name": f"Social {row['campaign']}", "adset_id": f"70{number}", "adset_name": f"Set {number}",
        "date_start": day.isoformat(), "date_stop": day.isoformat(), "impressions": str(row["impressions"]),
        "inline_link_clicks": str(row["clicks"]), "spend": f"{row['cents'] / 100:.2f}",
        "actions": [{"action_type": "purchase", "value": str(row["orders"])}] if row["orders"] else [],
        "action_values": [{"action_type": "purchase", "value": f"{row['value_cents'] / 100:.2f}"}] if row["orders"] else [],
    }  # fmt: skip


def application(book: Book) -> FastAPI:
    """The web application of one book."""
    from fastapi import FastAPI, Request, Response

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    def answered(body: dict[str, Any]) -> Response:
        text = json.dumps(body).encode()
        return Response(text[: len(text) // 2] if book.strikes("cut") else text, media_type="application/json")

    def guarded(token: str, platform: str) -> None:
        book.asked["requests"] += 1
        if book.strikes("expired"):
            book.tokens.discard(token)
        if token not in book.tokens:
            raise Refused(401, {"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "the token has expired"}})
        if book.strikes("limited"):
            if platform == "meta" and book.luck.random() < 0.5:
                raise Refused(400, {"error": {"code": 17, "message": "User request limit reached"}})
            raise Refused(429, {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}, **{"Retry-After": "1"})
        if book.strikes("broken"):
            raise Refused(503, {"error": {"code": 503, "status": "UNAVAILABLE"}})

    async def refused(_: Request, problem: Refused) -> Response:
        return Response(json.dumps(problem.body), problem.status, problem.headers, "application/json")

    async def token(request: Request) -> Any:
        given = f"t{zlib.crc32(str(len(book.asked)).encode()):x}{book.luck.getrandbits(32):x}"
        book.tokens.add(given)
        return {"access_token": given, "expires_in": 3600, "token_type": "Bearer"}

    async def search(number: str, request: Request) -> Any:
        guarded(request.headers.get("authorization", "").removeprefix("Bearer "), "google")
        asked = await request.json()
        account = _account("google", number)
        between = re.search(r"BETWEEN '(\S+)' AND '(\S+)'", asked["query"])
        if between is None:
            row = {"customer": {"id": account.number, "currencyCode": account.currency, "timeZone": account.zone}}
            return answered({"results": [row], "totalResultsCount": "1"})
        rows = [
            _google_row(account, day, row)
            for day in _days(*between.groups()) for row in book.figures("google", account, day, book.clock())
        ]  # fmt: skip
        page, after = _paged(book, rows, asked.get("pageToken", ""))
        body: dict[str, Any] = {"results": page, "totalResultsCount": str(len(rows))}
        if book.strikes("partial"):
            return answered({**body, "results": page[:-1], "partialFailureError": {"code": 13, "message": "an internal error"}})
        return answered(body | ({"nextPageToken": after} if after else {}))

    async def account_of(number: str, request: Request) -> Any:
        guarded(request.query_params.get("access_token", ""), "meta")
        account = _account("meta", number)
        return answered({"id": f"act_{number}", "currency": account.currency, "timezone_name": account.zone})

    async def insights(number: str, request: Request) -> Any:
        given = request.query_params
        guarded(given.get("access_token", ""), "meta")
        account, span = _account("meta", number), json.loads(given["time_range"])
        rows = [
            _meta_row(account, day, row)
            for day in _days(span["since"], span["until"]) for row in book.figures("meta", account, day, book.clock())
        ]  # fmt: skip
        page, after = _paged(book, rows, given.get("after", ""))
        body: dict[str, Any] = {"data": page, "summary": {"total_count": len(rows)}}
        if book.strikes("partial"):
            return answered({**body, "data": page[:-1], "error": {"code": 2, "message": "an unexpected error, please retry"}})
        return answered(body | {"paging": {"cursors": {"after": after}} if after else {}})

    for function in (token, search, account_of, insights):
        function.__annotations__ |= {"request": Request}
    app.add_exception_handler(Refused, refused)  # type: ignore[arg-type]
    for platform in ("google", "meta"):
        app.add_api_route(f"/{platform}/oauth/token", token, methods=["POST"], response_model=None)
    app.add_api_route("/google/customers/{number}/googleAds:search", search, methods=["POST"], response_model=None)
    app.add_api_route("/meta/act_{number}", account_of, response_model=None)
    app.add_api_route("/meta/act_{number}/insights", insights, response_model=None)
    return app


class Served:
    """The API in a thread, at a free port unless one is given; a context manager that gives its address."""

    def __init__(self, book: Book, port: int = 0) -> None:
        import uvicorn

        self.server = uvicorn.Server(uvicorn.Config(application(book), port=port, log_level="warning", access_log=False))
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    def __enter__(self) -> str:
        self.thread.start()
        while not self.server.started:
            self.thread.join(0.02)
        return f"127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join()


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="python -m infra.world.ad_api", description="The ad platforms' APIs, simulated.")
    parser.add_argument("--port", type=int, default=8100)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--faults", default="", help=f"name=share,…; names: {', '.join(FAULTS)}")
    parser.add_argument("--switches", type=Path, help="folder of the world's truth: faults switched on there are met too")
    given = parser.parse_args()
    faults = {name: float(share) for name, share in (each.split("=") for each in given.faults.split(",") if each)}
    unknown = set(faults) - set(FAULTS)
    if unknown:
        parser.error(f"no such fault: {', '.join(sorted(unknown))}. Valid: {', '.join(FAULTS)}")
    with Served(Book(given.seed, faults=faults, switches=given.switches), given.port) as address:
        print(f"Google: http://client:secret@{address}/google\nMeta:   http://client:secret@{address}/meta", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
