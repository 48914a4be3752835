"""What the company is: its size, its channels and campaigns, its calendar, and the hidden constants of its market."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

CHANNELS = ("paid_search", "paid_social", "email", "organic", "direct", "referral")
PAID_SEARCH, PAID_SOCIAL, EMAIL, ORGANIC, DIRECT, REFERRAL = range(6)
BASELINE = -1
"""The cause of an order nothing but the customer's own habit brought about."""

PURPOSES = ("email_marketing", "analytics", "personalisation")
CONSENT_AT_SIGNUP = (0.60, 0.75, 0.50)
SEGMENTS = ("private", "business", "student")
STATUSES = ("placed", "shipped", "delivered", "cancelled")
HOUR = 3600
DAY = 24 * HOUR

HOURS = np.array([2, 1, 1, 1, 1, 2, 4, 6, 7, 8, 8, 8, 9, 8, 7, 7, 8, 9, 11, 13, 14, 12, 8, 4], float)
"""Visits and orders by hour of the day, UTC."""
WEEKDAYS = np.array([1.00, 0.97, 0.96, 1.00, 1.02, 1.08, 0.97])
"""Visits and orders by weekday, Monday first."""


@dataclass(frozen=True)
class Size:
    """How big the company is and how much history it starts with."""

    name: str
    customers: int
    days: int


SIZES = {s.name: s for s in (Size("tiny", 200, 14), Size("small", 2_000, 90), Size("large", 200_000, 90))}


@dataclass(frozen=True)
class AdGroup:
    """A line of a platform's daily report: ad group (Google) or ad set (Meta)."""

    channel: int
    campaign_id: str
    campaign: str
    group_id: str
    group: str
    utm_campaign: str
    share: float


AD_GROUPS = (
    AdGroup(PAID_SEARCH, "171001", "Brand Search", "181001", "Brand exact", "brand-search", 0.12),
    AdGroup(PAID_SEARCH, "171001", "Brand Search", "181002", "Brand broad", "brand-search", 0.08),
    AdGroup(PAID_SEARCH, "171002", "Generic Search", "181003", "Kitchen", "generic-search", 0.22),
    AdGroup(PAID_SEARCH, "171002", "Generic Search", "181004", "Coffee", "generic-search", 0.18),
    AdGroup(PAID_SEARCH, "171003", "Shopping", "181005", "All products", "shopping", 0.28),
    AdGroup(PAID_SEARCH, "171003", "Shopping", "181006", "Best sellers", "shopping", 0.12),
    AdGroup(PAID_SOCIAL, "238401", "Prospecting", "238501", "Lookalike 1 %", "prospecting", 0.40),
    AdGroup(PAID_SOCIAL, "238401", "Prospecting", "238502", "Interests", "prospecting", 0.25),
    AdGroup(PAID_SOCIAL, "238402", "Retargeting", "238503", "Visitors 14 days", "retargeting", 0.20),
    AdGroup(PAID_SOCIAL, "238402", "Retargeting", "238504", "Cart leavers", "retargeting", 0.15),
)


@dataclass(frozen=True)
class Paid:
    """A paid channel's hidden response, for a company of 2,000 customers.

    Adstock a_t = s_t + retention · a_(t-1) (geometric; Broadbent 1979). Saturation a^slope / (a^slope + half^slope) (Hill),
    between 0 and 1; visits and lift are what full saturation would bring.
    """

    spend: float
    retention: float
    half: float
    slope: float
    visits: float
    lift: float
    seen: float
    """Share of the visits it causes that arrive through a click it can count; the rest come as direct or organic."""


PAID = {
    PAID_SEARCH: Paid(180.0, 0.30, 240.0, 1.3, visits=110.0, lift=0.06, seen=1.0),
    PAID_SOCIAL: Paid(135.0, 0.65, 330.0, 1.1, visits=90.0, lift=0.12, seen=0.7),
}
NEWSLETTER_LIFT = {1: 0.30, 2: 0.10, 4: 0.30, 5: 0.10}
"""Lift of a customer who agreed to e-mail, by weekday: newsletters go out on Tuesday and Friday."""
BASE_VISITS = {ORGANIC: 90.0, DIRECT: 60.0, REFERRAL: 25.0}
"""Visits a day of people who are no customers, without any advertising, for a company of 2,000 customers."""
FIRST_ORDER = np.array([0.0110, 0.0060, 0.0080, 0.0070, 0.0090, 0.0060])
"""Chance that a visit of somebody who is no customer ends in a first order, by the channel that caused it."""
HARVEST = 0.12
"""Share of organic and direct visits that take the ad on their way: clicks paid for, but not caused, by paid search."""
BASE_TOUCH = np.array([0.12, 0.05, 0.10, 0.27, 0.43, 0.03])
"""Channel through which customers arrive who would have come anyway."""

REGULARS = 0.40
RATE = {False: (0.0006, 0.50), True: (0.18, 0.40)}
"""Orders a day: median and spread (log-normal) of occasional and of regular customers."""
LIFETIME_DAYS = 2000.0
ALIVE_AT_START = 0.85
CARRIED_OVER = 0.90
"""Share of the company's customers who were there before its history begins."""


@dataclass(frozen=True)
class Company:
    """One world: everything that happens in it follows from these."""

    seed: int
    size: str
    customers: int
    start: date

    @property
    def scale(self) -> float:
        """Give the size relative to the company the constants were written for."""
        return self.customers / 2_000

    @property
    def begins(self) -> datetime:
        """Give the first moment of history."""
        return datetime(self.start.year, self.start.month, self.start.day, tzinfo=UTC)

    def date(self, day: int) -> date:
        """Give the calendar date of a day of history."""
        return self.start + timedelta(days=day)

    def second(self, day: int) -> int:
        """Give the Unix time at which a day of history begins."""
        return int(self.begins.timestamp()) + day * DAY


def season(on: date) -> float:
    """Give demand by time of year: a mild wave, and the week of Black Friday."""
    wave = 1 + 0.05 * float(np.sin(2 * np.pi * (on.timetuple().tm_yday - 270) / 365))
    return wave * (1.2 if on.month == 11 and 23 <= on.day <= 29 else 1.0)
