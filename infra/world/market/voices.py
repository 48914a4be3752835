"""What customers say: talks with service, product reviews, posts. Cause and sentiment are hidden; the text and a noisy label are seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from infra.world.company import DAY, HOUR, Company
from infra.world.day import Day
from infra.world.market.lines import Objects, json_lines, stamp
from infra.world.market.minds import bell
from infra.world.population import customer_id, order_id, product, product_id
from infra.world.randomness import scatter, stream
from infra.world.state import CANCEL, DELIVER, REFUND, VOICE, Array, State

SERVICE, REVIEW, POST = range(3)
CAUSES = ("damaged", "not_as_described", "changed_mind", "late", "cancelled", "content", "question")
DAMAGED, OTHERWISE, CHANGED, LATE, CANCELLED, CONTENT, QUESTION = range(len(CAUSES))
LIKING = np.array([-1.1, -0.9, -0.1, -0.6, -0.3, 0.8, 0.1])
"""Mean sentiment by cause; to it come the product's hidden quality, the person's mood and chance."""
WRITES = np.array([0.70, 0.60, 0.30, 0.20, 0.25, 0.0, 0.015])
"""Chance that an order's cause makes its customer write to service (question: orders with no other cause)."""
REVIEWS = np.array([0.15, 0.15, 0.05, 0.08, 0.0, 0.05, 0.05])
WRONG_TOPIC, REVERSED_STARS, GARBLED = 0.08, 0.05, 0.02
"""Label noise: topics that agents tick wrongly, reviews whose stars say the reverse of the text; posts with broken encoding."""
LATE_AFTER, POSTS = 5.2 * DAY, 8.0
SAID = {
    DAMAGED: ("The {p} arrived broken.", "Box crushed, {p} is damaged.", "Half of the {p} was leaking."),
    OTHERWISE: ("The {p} is not what the page shows.", "Wrong size of {p}, misleading page.", "This is not the {p} I ordered."),
    CHANGED: ("I would like to return the {p}.", "I no longer need the {p}.", "Please take the {p} back."),
    LATE: ("Still waiting for my {p}.", "Where is the parcel with the {p}? It is days late.", "Delivery took almost a week."),
    CANCELLED: ("Please cancel order {o}.", "I ordered twice by mistake, cancel {o} please.", "Stop order {o}, wrong address."),
    CONTENT: ("The {p} is just right.", "Using the {p} every day.", "Second time I bought the {p}."),
    QUESTION: ("Does the {p} also come in another size?", "How should I store the {p}?", "Can I get an invoice for {o}?"),
}
MOODS = {
    1: ("Very happy, thank you!", "Excellent, would buy again.", "Großartig, einfach köstlich – love it."),
    0: ("It is okay.", "Nothing special.", "Let's see."),
    -1: ("Really disappointed.", "Terrible, never again.", "Very annoying – ich bin enttäuscht."),
}
ABOUT = ("the coffee from @hafenshop", "my @hafenshop parcel", "prices at @hafenshop", "the new café of @hafenshop", "tea by @hafenshop")
REPLIES = ("I am sorry about that, we will sort it out.", "Thank you for writing, I have looked into it.", "Done, you will get a mail.")
SORRY = ("Thanks.", "Thank you, solved.", "That does not help me.", "OK.")


def sentiment(company: Company, customer: Array, goods: Array, cause: Array, chance: Array) -> Array:
    """Give the hidden sentiment: −1, 0 or 1."""
    quality, mood = bell(company.seed, "quality", goods), bell(company.seed, "mood", customer)
    score = LIKING[cause] + 0.5 * quality + 0.4 * mood + 0.5 * chance
    result: Array = np.where(score > 0.35, 1, np.where(score < -0.35, -1, 0))
    return result


def remember(company: Company, before: State, day: Day) -> None:
    """Decide who of today's customers will write or review, and when: left in the day's last state."""
    orders, n = day.orders, len(day.orders.at)
    random = stream(company.seed, "voices", before.day)
    waiting = before.voices[before.voices["at"] >= company.second(before.day + 1)]
    if n == 0:
        day.after.voices = waiting
        return
    cause, when = np.full(n, QUESTION), orders.at + random.integers(HOUR, 40 * HOUR, n)
    due = day.after.pending[np.isin(day.after.pending["order"], orders.number)]
    due = np.concatenate([due, orders.due[np.isin(orders.due["order"], orders.number)]])
    place = due["order"] - orders.number[0]
    arrived = orders.at + 5 * DAY
    for kind in (DELIVER, CANCEL, REFUND):
        here, at = place[due["kind"] == kind], due["at"][due["kind"] == kind]
        if kind == DELIVER:
            arrived[here] = at
            late = at - orders.at[here] > LATE_AFTER
            cause[here[late]], when[here[late]] = LATE, at[late] - HOUR * 12
        else:
            cause[here] = CANCELLED if kind == CANCEL else due["reason"][due["kind"] == kind]
            when[here] = at - (HOUR // 4 if kind == CANCEL else DAY)
    first = np.searchsorted(orders.line_order, np.arange(n))
    made = [waiting]
    after = arrived + random.integers(DAY, 8 * DAY, n)
    for kind, chosen, at, why in (
        (SERVICE, random.random(n) < WRITES[cause], when, cause),
        (REVIEW, random.random(n) < REVIEWS[cause], after, np.where(cause == QUESTION, CONTENT, cause)),
    ):
        part = np.zeros(int(chosen.sum()), VOICE)
        part["at"], part["kind"], part["customer"] = at[chosen], kind, orders.customer[chosen]
        part["order"], part["product"], part["cause"] = orders.number[chosen], orders.product[first][chosen], why[chosen]
        made.append(part)
    day.after.voices = np.concatenate(made)


def heard(company: Company, before: State, day: Day) -> tuple[Array, Array]:
    """Give what is said today, in order of time, and its hidden sentiment; strangers' posts have no customer."""
    begins, random = company.second(before.day), stream(company.seed, "posts", before.day)
    said = before.voices[before.voices["at"] < begins + DAY]
    said = said[~day.after.customers["deleted"][said["customer"]]]
    buzz = 1 + day.advertising.saturation.sum()
    posts = np.zeros(int(random.poisson(POSTS * np.sqrt(company.scale) * buzz)), VOICE)
    posts["at"], posts["kind"], posts["customer"] = begins + random.integers(6 * HOUR, DAY, len(posts)), POST, -1
    on_sale = np.flatnonzero(day.after.products["active"])
    posts["product"] = on_sale[random.integers(0, len(on_sale), len(posts))]
    posts["cause"] = random.choice([CONTENT, LATE, OTHERWISE, QUESTION], len(posts), p=(0.5, 0.15, 0.1, 0.25))
    said = np.sort(np.concatenate([said, posts]), order=["at", "kind", "order"])
    chance = random.normal(size=len(said))
    return said, sentiment(company, said["customer"] + 1_000_000 * (said["customer"] < 0), said["product"], said["cause"], chance)


def voices(company: Company, before: State, day: Day) -> Objects:
    """Give today's talks with service, and the mentions that a listening tool collected."""
    on = str(company.date(before.day))
    said, feeling = heard(company, before, day)
    service = said["kind"] == SERVICE
    yield from json_lines("service/messages", on, _talks(company, said[service], feeling[service]))
    yield from json_lines("social/mentions", on, _mentions(company, before, said[~service], feeling[~service]))


def _text(key: int, cause: int, feeling: int, goods: str, order: str) -> str:
    return f"{SAID[cause][key % 3].format(p=goods, o=order)} {MOODS[feeling][(key >> 4) % 3]}"


def talk_id(order: int) -> str:
    """Name a talk."""
    return f"T{order:09d}"


def _talks(company: Company, said: Array, feeling: Array) -> Iterator[dict[str, Any]]:
    for each, felt in zip(said, feeling.tolist(), strict=True):
        key, cause, order = int(scatter(company.seed, "talk", [each["order"]])[0]), int(each["cause"]), order_id(int(each["order"]))
        wrong = key % 1000 < 1000 * WRONG_TOPIC
        topic = CAUSES[(cause + 1 + (key >> 20) % 5) % 7 if wrong else cause]
        name = product(int(each["product"]))["name"]
        texts = [("customer", _text(key >> 8, cause, felt, name, order)), ("agent", f"{REPLIES[(key >> 12) % 3]} ({order})")]
        if felt < 0 or key % 3 == 0:
            texts.append(("customer", SORRY[2 if felt < 0 and key % 2 else key % 2]))
        at = int(each["at"])
        for number, (who, text) in enumerate(texts, 1):
            yield {
                "conversation_id": talk_id(int(each["order"])), "message": number, "by": who, "at": stamp(at), "text": text,
                "channel": ("mail", "chat", "phone note")[(key >> 16) % 3], "customer": customer_id(int(each["customer"])),
                "topic": topic if number == len(texts) else None,
                "satisfaction": int(np.clip(3 + 1.5 * felt, 1, 5)) if number == len(texts) and key % 4 == 0 else None,
            }  # fmt: skip
            at += 300 + (key >> 24) % (5 * HOUR)


def mention_id(on: str, number: int, order: int) -> str:
    """Name a post or a review."""
    return f"V{order:09d}" if order else f"X{on.replace('-', '')}{number:04d}"


def _mentions(company: Company, before: State, said: Array, feeling: Array) -> Iterator[dict[str, Any]]:
    on = str(company.date(before.day))
    for number, (each, felt) in enumerate(zip(said, feeling.tolist(), strict=True)):
        review, order = each["kind"] == REVIEW, int(each["order"])
        key = int(scatter(company.seed, "review" if review else f"post {before.day}", [order if review else number])[0])
        goods = product(int(each["product"]))["name"]
        text = _text(key, int(each["cause"]), felt, goods, order_id(order))
        text = text if review else f"{text} {ABOUT[(key >> 30) % len(ABOUT)]} ☕"
        stars = min(5, max(1, 3 + 2 * felt - (key >> 8) % 2 * felt)) if review else None
        if stars and key % 1000 < 1000 * REVERSED_STARS:
            stars = 6 - stars
        if (key >> 40) % 1000 < 1000 * GARBLED:
            text = text.encode().decode("cp1252", "replace").replace("\ufffd", "")
        yield {
            "mention_id": mention_id(on, number, order), "kind": "review" if review else "post",
            "collected_at": stamp(int(each["at"]) + 60), "published_at": stamp(int(each["at"])),
            "network": "shop" if review else ("instagram", "mastodon", "reddit")[(key >> 16) % 3],
            "author": customer_id(int(each["customer"])) if review else f"@user{(key >> 20) % 5000}", "text": text, "stars": stars,
            "product_id": product_id(int(each["product"])) if review else None, "likes": (key >> 50) % 40,
        }  # fmt: skip


def truth(company: Company, before: State, day: Day) -> dict[str, list[Any]]:
    """Give cause and sentiment behind each text of the day."""
    on = str(company.date(before.day))
    said, feeling = heard(company, before, day)
    found: dict[str, list[Any]] = {"id": [], "kind": [], "cause": [], "sentiment": []}
    mentions = 0
    for each, felt in zip(said, feeling.tolist(), strict=True):
        service = each["kind"] == SERVICE
        found["id"].append(talk_id(int(each["order"])) if service else mention_id(on, mentions, int(each["order"])))
        found["kind"].append(("service", "review", "post")[each["kind"]])
        found["cause"].append(CAUSES[each["cause"]])
        found["sentiment"].append(felt)
        mentions += not service
    return found
