"""One platform's API as rows by day, over dlt's REST client: pages, limits, tokens and half answers are dealt with here.

dlt's client tries a request again that is refused for now (429 with its Retry-After, 5xx, a lost connection, or in a platform's own words:
`later`), cut off, or answered with an error beside its rows. A token taken back, or fewer rows than are announced, make the whole span be
read again: nothing of it was kept.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

from lakehouse.errors import LakehouseError

ATTEMPTS = 12
Row = dict[str, Any]


class ReportError(LakehouseError):
    """A report could not be read."""


class Incomplete(Exception):
    """An answer of which nothing may be kept; the text says why."""


@dataclass(frozen=True)
class Account:
    """An advertiser's account: its money and its days."""

    number: str
    currency: str
    zone: str


class Api(ABC):
    """A platform's API. A subclass says how to ask and how a row reads; addresses are `http(s)://client:secret@host/path`."""

    identity: ClassVar[tuple[str, ...]]
    """Fields of a flat row that make it one: a repeated row counts once."""

    def __init__(self, source: str, address: str) -> None:
        from dlt.sources.helpers.requests import Client
        from dlt.sources.helpers.rest_client.client import RESTClient

        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or not parts.username:
            raise ReportError(
                f"{source}: its address is not of the form https://client:secret@host/path. Set LAKEHOUSE_{source.upper()}_URL so"
            )
        self.source = source
        self.base = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path.rstrip('/')}"
        self.sign_in = {"client_id": unquote(parts.username), "client_secret": unquote(parts.password or "")}
        self.client = Client(
            raise_for_status=False, request_max_attempts=ATTEMPTS, request_backoff_factor=0.2, request_max_retry_delay=60,
            retry_condition=lambda response, _: response is not None and self._half(response),
        )  # fmt: skip
        self.rest = RESTClient(self.base, session=self.client.session)
        self.token = ""
        self.repeated = 0

    @abstractmethod
    def account(self, number: str) -> Account:
        """An account's currency and time zone."""

    @abstractmethod
    def pages(self, number: str, first: date, last: date) -> Iterator[tuple[list[Row], int]]:
        """Pages of flat rows of a span of days, each with how many rows the platform announces for all pages."""

    def later(self, status: int, text: str) -> bool:
        """Whether a refusal means "not now", where the platform says so otherwise than by 429 or 5xx."""
        return False

    def _half(self, response: Any) -> bool:
        if response.status_code != 200:
            return self.later(response.status_code, response.text)
        try:
            body = response.json()
        except ValueError:
            return True
        return "error" in body or "partialFailureError" in body

    def asked(self, path: str, method: Any = "GET", **how: Any) -> Iterator[Mapping[str, Any]]:
        """The bodies of all pages of one question."""
        silent: Any = {"response": [lambda *_, **__: None]}  # answers are judged here, after dlt has tried again what may pass
        try:
            for page in self.rest.paginate(path, method, hooks=silent, **how):
                yield self.checked(page.response)
        except ValueError:
            raise Incomplete("the answer was cut off") from None

    def rows(self, number: str, first: date, last: date) -> list[Row]:
        """All rows of a span of days, each once. Raises ReportError where no attempt was answered wholly."""
        problem = ""
        for _ in range(ATTEMPTS):
            try:
                return self._whole(number, first, last)
            except Incomplete as incomplete:
                problem = str(incomplete)
        raise ReportError(
            f"{self.source}: account {number}, {first} to {last}: {problem}, {ATTEMPTS} times. Nothing of it was kept; run it again"
        )

    def _whole(self, number: str, first: date, last: date) -> list[Row]:
        found: dict[tuple[str, ...], Row] = {}
        expected = received = 0
        for page, announced in self.pages(number, first, last):
            expected = announced
            for row in page:
                received += 1
                found[tuple(str(row[name]) for name in self.identity)] = row
        if len(found) != expected:
            raise Incomplete(f"{len(found)} rows came, {expected} were announced")
        self.repeated += received - len(found)
        return list(found.values())

    def checked(self, response: Any) -> Mapping[str, Any]:
        """An answer's body. Raises Incomplete where asking again may help, ReportError where it may not."""
        if response.status_code == 401:
            self.token = ""
            raise Incomplete("the token was refused")
        try:
            body: Mapping[str, Any] = response.json()
        except ValueError:
            raise Incomplete("the answer was cut off") from None
        problem = body.get("error") or body.get("partialFailureError")
        if response.status_code == 200 and problem is None:
            return body
        told = problem.get("message", problem.get("status", "")) if isinstance(problem, dict) else response.text[:200]
        status = response.status_code
        if status in (200, 429) or status >= 500 or self.later(status, response.text):
            raise Incomplete(f"the platform answered {response.status_code} ({told})")
        raise ReportError(f"{self.source}: the platform refuses ({status}, {told}). Check the account's number and its rights")

    def bearer(self) -> str:
        """A token, asked for where there is none."""
        if not self.token:
            given = self.checked(self.client.post(f"{self.base}/oauth/token", data={"grant_type": "client_credentials", **self.sign_in}))
            self.token = str(given["access_token"])
        return self.token
