"""E-mail as the mail provider reports it: sends, bounces, opens, clicks, complaints, unsubscriptions.

Newsletters (Tuesday, Friday) go to everybody who agreed and is not held out by the newsletter's lot; what they bring is the shop's own
simulation. Offers (Thursday) are a campaign for the shops in town: never sent to the universal holdout, in two variants drawn anew each
week, with known lifts (`OFFERS`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from infra.world.company import HOUR, NEWSLETTER_LIFT, Company
from infra.world.day import Day
from infra.world.market.lines import Objects, json_lines, stamp
from infra.world.market.minds import HOLDOUT_PERCENT, held_out, share, types
from infra.world.newsletter import mailed
from infra.world.population import MAIL_HOSTS, customer_id
from infra.world.randomness import pick, stream
from infra.world.state import Array, State

OFFERS = {"A": 0.25, "B": 0.45}
"""Lift of an addressed customer's purchases in a shop from Thursday to Saturday, by variant of the offer."""
OFFER_DAYS, SENT_ON = (3, 4, 5), 3
CLICKING = {"newsletter": 0.09, "A": 0.10, "B": 0.15}
"""Chance that who opened also clicks: B's over A's is a known lift of one half."""
OPENING = np.array([0.42, 0.34, 0.24, 0.32])
"""Chance to open, by hidden type; who has left opens a seventh as often."""
BAD_ADDRESS, PREFETCHED, SCANNED, REPEATED, COMPLAINS = 0.012, 0.15, 0.01, 0.01, 0.15
"""Shares: mailboxes that bounce, programs that load every image, scanners that follow every link, events told twice, leavers who
complain."""


def addressed(company: Company, before: State) -> Array:
    """Give who may be written to in the morning: agreed, known, address not bad."""
    people = before.customers
    able = people["consent"][:, 0] & ~people["deleted"] & (people["created"] < company.second(before.day))
    return np.flatnonzero(able)


def variant(company: Company, week: int, who: Array) -> Array:
    """Draw the offer's variant of the week: 0 for A, 1 for B."""
    return pick(company.seed, f"offer {week}", who, 2)


def offer_lift(company: Company, before: State) -> Array:
    """Give each customer's lift of shop purchases today by this week's offer."""
    today = company.date(before.day)
    lift = np.zeros(len(before.customers))
    if today.weekday() in OFFER_DAYS:
        who = addressed(company, before)
        who = who[~held_out(company, who) & (share(company.seed, "bad address", who) > BAD_ADDRESS)]
        lift[who] = np.array(list(OFFERS.values()))[variant(company, today.toordinal() // 7, who)]
    return lift


def arms(company: Company, before: State) -> dict[str, list[Any]]:
    """Give the truth of a Thursday: who gets which variant, who is held out; on other days nothing."""
    today, who = company.date(before.day), addressed(company, before)
    if today.weekday() != SENT_ON:
        return {}
    drawn = variant(company, today.toordinal() // 7, who)
    arm = np.where(held_out(company, who), "held out", np.array(list(OFFERS))[drawn])
    return {"customer_id": [customer_id(i) for i in who.tolist()], "arm": arm.tolist()}


def lots(company: Company, before: State, day: Day) -> Objects:
    """Give who is in the universal holdout, as the campaign tool drew it: of new customers, on the first day of everybody."""
    people, first = day.after.customers, day.first_newcomer if before.day else 0
    who = np.arange(first, len(people))
    at = np.maximum(people["created"][who], company.second(before.day))
    held = held_out(company, who)
    rows = (
        {
            "assignment_id": f"universal holdout:{customer_id(each)}",
            "campaign": "universal holdout",
            "customer_id": customer_id(each),
            "arm": "held out" if out else "mailed",
            "chance": 1 - HOLDOUT_PERCENT / 100,
            "assigned_at": stamp(moment),
        }
        for each, moment, out in zip(who.tolist(), at.tolist(), held.tolist(), strict=True)
    )
    yield from json_lines("campaigns/assignments/universal-holdout", str(company.date(before.day)), rows)


def events(company: Company, before: State, day: Day) -> Objects:
    """Give the day's events, each told in the order of recipients; some are told twice."""
    yield from json_lines("email/events", str(company.date(before.day)), _rows(company, before, day))


def _rows(company: Company, before: State, day: Day) -> Iterator[dict[str, Any]]:
    today = company.date(before.day)
    if today.weekday() in NEWSLETTER_LIFT and NEWSLETTER_LIFT[today.weekday()] > 0.2:
        who = addressed(company, before)
        yield from _mailing(company, before, "newsletter", who[mailed(who)])
    if today.weekday() == SENT_ON:
        who = addressed(company, before)
        yield from _mailing(company, before, "offer", who[~held_out(company, who)])
    who, at, purpose, granted = day.changes.consent
    for each, moment in zip(who[(purpose == 0) & ~granted].tolist(), at[(purpose == 0) & ~granted].tolist(), strict=True):
        yield _event(company, before, "list", "", each, "unsubscribed", moment)
        if share(company.seed, f"complains {before.day}", [each])[0] < COMPLAINS:
            yield _event(company, before, "list", "", each, "complained", moment + 5)


def _mailing(company: Company, before: State, campaign: str, who: Array) -> Iterator[dict[str, Any]]:
    seed, begins = company.seed, company.second(before.day)
    people, n = before.customers[who], len(who)
    random = stream(seed, f"mailing {campaign}", before.day)
    sent = begins + 7 * HOUR + random.integers(0, 1800, n)
    arm = variant(company, company.date(before.day).toordinal() // 7, who) if campaign == "offer" else np.full(n, -1)
    bounces = share(seed, "bad address", who) <= BAD_ADDRESS
    opens = random.random(n) < OPENING[types(company, who, people)] * np.where(people["death"] > begins, 1, 1 / 7)
    chance = np.where(arm < 0, CLICKING["newsletter"], np.where(arm == 1, CLICKING["B"], CLICKING["A"]))
    clicks = opens & (random.random(n) < chance)
    fetched, scanned = share(seed, "prefetch", who) < PREFETCHED, share(seed, "scanner", who) < SCANNED
    opened = sent + 60 + (random.exponential(4 * HOUR, n) % (15 * HOUR)).astype(np.int64)
    after = random.integers(4, 400, n)
    told = zip(who.tolist(), arm.tolist(), sent.tolist(), bounces.tolist(), fetched.tolist(), scanned.tolist(), strict=True)
    for i, (each, a, at, bad, machine, scan) in enumerate(told):
        label = "" if a < 0 else "AB"[a]

        def said(kind: str, moment: int, agent: str = "", each: int = each, label: str = label) -> dict[str, Any]:
            return _event(company, before, campaign, label, each, kind, moment, agent)

        yield said("sent", at)
        if bad:
            yield said("bounced", at + 3)
            continue
        if machine:
            yield said("opened", at + 2, "ImageProxy/1.0")
        if scan:
            yield said("clicked", at + 1, "LinkScanner/2.4 (bot)")
        if opens[i]:
            event = said("opened", int(opened[i]), "Mozilla/5.0")
            yield event
            if share(seed, f"repeated {campaign} {before.day}", [each])[0] < REPEATED * 3:
                yield event
        if clicks[i]:
            yield said("clicked", int(opened[i] + after[i]), "Mozilla/5.0")


def _event(company: Company, before: State, campaign: str, label: str, who: int, kind: str, at: int, agent: str = "") -> dict[str, Any]:
    on, human = company.date(before.day), not agent or agent.startswith("Mozilla")
    host = MAIL_HOSTS[int(pick(company.seed, "host", [(who + 1) * 50 + int(before.customers["email"][who])], len(MAIL_HOSTS))[0])]
    return {
        "event_id": f"{campaign[0]}{on:%Y%m%d}-{who + 1:07d}-{kind}{'' if human else '-m'}",
        "mailing_id": f"{campaign}-{on}",
        "campaign": campaign,
        "variant": label or None,
        "subscriber": customer_id(who),
        "event": kind,
        "at": stamp(at),
        "mailbox": host,
        "user_agent": agent or None,
        "reason": "550 mailbox unavailable" if kind == "bounced" else None,
    }
