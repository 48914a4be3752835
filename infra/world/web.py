"""Web events: the page views, carts and purchases of the day's visits, as the collector received them."""

import gzip

import numpy as np
import orjson

from infra.world.company import DAY, EMAIL, HOUR, ORGANIC, PAID_SEARCH, PAID_SOCIAL, REFERRAL, Company
from infra.world.day import Day
from infra.world.population import CATEGORIES, category, customer_id, order_id, product_id
from infra.world.randomness import pick, scatter, stream
from infra.world.shop import source
from infra.world.state import Array, State

SITE = "https://shop.example"
AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Version/19.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 16; Pixel 10) AppleWebKit/537.36 Chrome/142.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/19.1 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 Version/18.6 Mobile/15E148 Safari/604.1",
)
REFERRERS = {
    PAID_SEARCH: ("https://www.google.com/",),
    PAID_SOCIAL: ("https://www.facebook.com/", "https://www.instagram.com/"),
    ORGANIC: ("https://www.google.com/", "https://www.google.com/", "https://duckduckgo.com/"),
    REFERRAL: ("https://kitchen-blog.example/", "https://coffee-forum.example/", "https://gift-ideas.example/"),
}
VIEW, CART, PURCHASE = range(3)
TYPES = ("page_view", "add_to_cart", "purchase")
LATE_PER_MILLE, REPEATED_PER_MILLE = 15, 7
Lines = list[tuple[int, bytes]]


def receive(company: Company, before: State, day: Day) -> list[bytes]:
    """Give the 24 objects of a day, one an hour; what arrives after midnight is left in the day's last state."""
    begins = company.second(day.day)
    waiting = zip(before.late_at.tolist(), before.late_lines, strict=True)
    lines = sorted([*waiting, *_lines(company, day)], key=lambda line: line[0])
    end = (begins + DAY) * 1000
    today = [line for line in lines if line[0] < end]
    later = lines[len(today) :]
    day.after.late_at = np.array([at for at, _ in later], np.int64)
    day.after.late_lines = [line for _, line in later]
    hours: list[list[bytes]] = [[] for _ in range(24)]
    for at, line in today:
        hours[(at // 1000 - begins) // HOUR].append(line)
    return [gzip.compress(b"".join(line + b"\n" for line in each), 6, mtime=0) for each in hours]


def _lines(company: Company, day: Day) -> Lines:
    random, sessions = stream(company.seed, "web", day.day), day.sessions
    begins = company.second(day.day)
    buys = sessions.order >= 0
    items = np.bincount(day.orders.line_order, minlength=len(day.orders.at))
    starts = np.cumsum(items) - items
    lines_of = np.where(buys, items[sessions.order] if len(items) else 0, 0)
    views = 1 + np.minimum(random.poisson(1.6, len(buys)), 9)
    carts = (random.random(len(buys)) < 0.12) & (views > 1)
    count = np.where(buys, 3 + 2 * lines_of, views + carts)
    of = np.repeat(np.arange(len(buys)), count)
    n, place = len(of), np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    kind = np.where(buys[of] & (place > 0) & (place <= 2 * lines_of[of]) & (place % 2 == 0), CART, VIEW)
    kind = np.where(buys[of] & (place == count[of] - 1), PURCHASE, kind)
    kind = np.where(~buys[of] & (place == views[of]), CART, kind)
    on_sale = np.flatnonzero(day.after.products["active"])
    seen = np.where(place > 0, on_sale[random.integers(0, len(on_sale), n)], -1)
    seen[~buys[of] & (place > 0) & (random.random(n) < 0.3) & (kind == VIEW)] = -1
    put = np.flatnonzero(~buys[of] & (kind == CART))
    seen[put - 1] = np.where(place[put - 1] > 0, seen[put], seen[put - 1])
    bought = np.flatnonzero(buys[of] & (place > 0) & (place <= 2 * lines_of[of]))
    seen[bought] = day.orders.product[starts[sessions.order[of[bought]]] + (place[bought] - 1) // 2]
    seen[buys[of] & (place > 2 * lines_of[of])] = -1
    at = _moments(random, sessions.at, buys, of, place, count, begins)
    who = _known(random, sessions.customer, buys, of, place, count, day.first_newcomer)
    return _write(company, day, of, kind, seen, at, who, place)


def _moments(random: np.random.Generator, at: Array, buys: Array, of: Array, place: Array, count: Array, begins: int) -> Array:
    gaps = np.where(place > 0, random.integers(8_000, 75_000, len(of)), 0)
    walked = np.cumsum(gaps)
    last = np.cumsum(count) - 1
    offset = np.where(buys, walked[last] if len(last) else 0, walked[last - count + 1] if len(last) else 0)
    moments = at[of] * 1000 + walked - offset[of]
    result: Array = np.clip(moments, begins * 1000, (begins + DAY) * 1000 - 1)
    return result


def _known(random: np.random.Generator, customer: Array, buys: Array, of: Array, place: Array, count: Array, newcomer: int) -> Array:
    signed_in = (random.random(len(customer)) < 0.6) & (customer < newcomer) | ~buys
    visible = signed_in[of] | (place >= count[of] - 2)
    result: Array = np.where(visible, customer[of], -1)
    return result


def _write(company: Company, day: Day, of: Array, kind: Array, seen: Array, at: Array, who: Array, place: Array) -> Lines:
    seed, sessions, n = company.seed, day.sessions, len(of)
    number = day.day * 1_000_000_000 + np.arange(n)
    left, right = scatter(seed, "event", number).tolist(), scatter(seed, "event again", number).tolist()
    chance, delay = (right_ % 1000 for right_ in right), (left_ % (47 * 3_600_000) for left_ in left)
    heads = [_head(company, day, i) for i in range(len(sessions.at))]
    repeated = pick(seed, "repeated", number, 1000) < REPEATED_PER_MILLE
    totals = np.bincount(day.orders.line_order, day.orders.amount_cents, len(day.orders.at)).astype(np.int64)
    lines: Lines = []
    for i, session, type_, shown, moment, customer, first, luck, wait in zip(
        range(n), of.tolist(), kind.tolist(), seen.tolist(), at.tolist(), who.tolist(), place.tolist(), chance, delay,
        strict=True,
    ):  # fmt: skip
        received = moment + 300 + wait % 1500 + (wait if luck < LATE_PER_MILLE else 0)
        event = {
            "event_id": f"{left[i]:016x}{right[i]:016x}",
            "event_type": TYPES[type_],
            "event_at": _stamp(moment),
            "received_at": _stamp(received),
            **heads[session],
            "customer_id": customer_id(customer) if customer >= 0 else None,
            "url": _url(first, type_, shown),
            "product_id": product_id(shown) if shown >= 0 else None,
            "order_id": None,
            "value": None,
        }
        if type_ == PURCHASE:
            order = int(sessions.order[session])
            event["order_id"], event["value"] = order_id(int(day.orders.number[order])), int(totals[order]) / 100
        lines.append((received, _line(event)))
        if repeated[i]:
            again = received + (2_000 if left[i] % 2 else left[i] % (5 * 3_600_000))
            lines.append((again, _line(event | {"received_at": _stamp(again)})))
    return lines


def _line(event: dict[str, object]) -> bytes:
    # orjson keeps an 8 KB buffer behind each result: kept by the hundred thousand, only a copy is small.
    return b"".join((orjson.dumps(event), b""))


def _head(company: Company, day: Day, session: int) -> dict[str, object]:
    sessions, seed = day.sessions, company.seed
    visitor, customer = int(sessions.visitor[session]), int(sessions.customer[session])
    channel, group = int(sessions.channel[session]), int(sessions.group[session])
    cookie, ident = scatter(seed, "visitor", [visitor, visitor]), scatter(seed, "session", [day.day * 10_000_000 + session])
    places = REFERRERS.get(channel, (None,))
    agreed = bool(day.after.customers["consent"][customer, 1]) if customer >= 0 else int(cookie[0] % np.uint64(100)) < 78
    utm = source(channel, group) if channel in (PAID_SEARCH, PAID_SOCIAL, EMAIL) else dict.fromkeys(source(EMAIL, -1))
    return {
        "visitor_id": f"{int(cookie[0]):016x}",
        "session_id": f"{int(ident[0]):016x}",
        "analytics_consent": agreed,
        "referrer": places[int(ident[0] % np.uint64(len(places)))],
        **utm,
        "user_agent": AGENTS[int(cookie[0] >> np.uint64(8)) % len(AGENTS)],
    }


def _url(place: int, kind: int, product: int) -> str:
    if kind == PURCHASE:
        return f"{SITE}/thank-you"
    if product >= 0:
        return f"{SITE}/{CATEGORIES[category(product + 1)][0].lower()}/{product_id(product).lower()}"
    return f"{SITE}/" if place == 0 else f"{SITE}/checkout" if kind == VIEW and place > 2 else f"{SITE}/search"


def _stamp(milliseconds: int) -> str:
    return f"{np.datetime64(milliseconds, 'ms')}Z"
