"""The ad platforms' daily reports, each with its own names, units and opinion of its success."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import orjson

from infra.world.company import AD_GROUPS, PAID_SEARCH, PAID_SOCIAL, Company
from infra.world.day import Day
from infra.world.population import money
from infra.world.randomness import stream

GOOGLE_COLUMNS = (
    "day",
    "campaign_id",
    "campaign",
    "ad_group_id",
    "ad_group",
    "impressions",
    "clicks",
    "cost_micros",
    "conversions",
    "currency_code",
)
CLICK_RATE = {PAID_SEARCH: 0.045, PAID_SOCIAL: 0.011}


@dataclass(frozen=True)
class Figures:
    """What a platform says about one ad group on one day."""

    group: int
    impressions: int
    clicks: int
    cents: int
    orders: int


def figures(company: Company, day: Day, channel: int) -> list[Figures]:
    """Give the platform's figures by ad group; they sum up to the day's spend."""
    random = stream(company.seed, f"report {channel}", day.day)
    groups = [i for i, g in enumerate(AD_GROUPS) if g.channel == channel]
    visits = np.bincount(day.sessions.group[day.sessions.group >= 0], minlength=len(AD_GROUPS))
    bought = np.bincount(day.orders.group[day.orders.group >= 0], minlength=len(AD_GROUPS))
    wanted = np.array([AD_GROUPS[i].share for i in groups]) * np.exp(random.normal(0, 0.08, len(groups)))
    edges = np.round(np.concatenate([[0], np.cumsum(wanted) / wanted.sum()]) * day.advertising.cents[channel])
    cents = np.diff(edges).astype(np.int64)
    result = []
    for group, spent in zip(groups, cents.tolist(), strict=True):
        clicks = int(visits[group] + random.binomial(visits[group], 0.06))
        impressions = clicks + int(random.poisson((clicks + 1) / CLICK_RATE[channel]))
        result.append(Figures(group, impressions, clicks, spent, int(bought[group])))
    return result


def objects(company: Company, day: Day) -> Iterator[tuple[str, bytes]]:
    """Give both platforms' reports of a day with their keys."""
    yield f"ads/google/{company.date(day.day)}.csv", google(company, day)
    yield f"ads/meta/{company.date(day.day)}.jsonl", meta(company, day)


def google(company: Company, day: Day) -> bytes:
    """Write Google's report: CSV, cost in micros, fractional conversions."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(GOOGLE_COLUMNS)
    for line in figures(company, day, PAID_SEARCH):
        group = AD_GROUPS[line.group]
        names = (group.campaign_id, group.campaign, group.group_id, group.group)
        conversions = f"{line.orders * 0.95:.2f}"
        writer.writerow((company.date(day.day), *names, line.impressions, line.clicks, line.cents * 10_000, conversions, "EUR"))
    return target.getvalue().encode()


def meta(company: Company, day: Day) -> bytes:
    """Write Meta's report: JSON lines, numbers as text, purchases that also count people who merely saw the ad."""
    random, lines = stream(company.seed, "views", day.day), []
    for line in figures(company, day, PAID_SOCIAL):
        group, on = AD_GROUPS[line.group], str(company.date(day.day))
        seen = int(random.poisson(0.6 * line.orders))
        lines.append(
            {
                "date_start": on,
                "date_stop": on,
                "campaign_id": group.campaign_id,
                "campaign_name": group.campaign,
                "adset_id": group.group_id,
                "adset_name": group.group,
                "impressions": str(line.impressions),
                "clicks": str(line.clicks),
                "spend": money(line.cents),
                "purchases": str(line.orders + seen),
                "account_currency": "EUR",
            }
        )
    return b"".join(orjson.dumps(line) + b"\n" for line in lines)
