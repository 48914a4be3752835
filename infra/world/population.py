"""People and products: hidden traits as arrays, visible ones as rows of the shop."""

from typing import Any

import numpy as np

from infra.world.company import (
    ALIVE_AT_START,
    BASELINE,
    CARRIED_OVER,
    CONSENT_AT_SIGNUP,
    DAY,
    LIFETIME_DAYS,
    PURPOSES,
    RATE,
    REGULARS,
    SEGMENTS,
    Company,
)
from infra.world.randomness import pick, scatter, stream
from infra.world.state import CUSTOMER, PRODUCT, Array, State

Row = dict[str, Any]

FIRST = (
    "Anna Ben Clara David Elena Felix Greta Hannes Ida Jonas Klara Leo Mila Noah Olga Paul Quirin Rosa Stefan Tilda Uwe "
    "Vera Willem Xenia Yusuf Zoe Amélie Björn Chloé Dragan Eszter François Giulia Håkon Inès Jürgen Łukasz Maëlle"
)
LAST = (
    "Adler Bauer Costa Dubois Eriksen Fischer García Huber Ivanov Jansen Kowalski Lindqvist Moreau Novak O'Brien Petrov "
    "Quandt Rossi Schneider Tanaka Ullmann Vogel Wagner Xu Yilmaz Zimmermann Müller Søndergaard Núñez Šimek"
)
FIRST_NAMES, LAST_NAMES = FIRST.split(), LAST.split()
STREETS = ("Hauptstraße", "Bahnhofstraße", "Gartenweg", "Am Markt", "Rue de la Paix", "Via Roma", "Kerkstraat", "Lindenallee", "Schulweg")
CITIES = (
    ("Berlin", "10115", "DE"),
    ("München", "80331", "DE"),
    ("Hamburg", "20095", "DE"),
    ("Köln", "50667", "DE"),
    ("Leipzig", "04109", "DE"),
    ("Wien", "1010", "AT"),
    ("Graz", "8010", "AT"),
    ("Zürich", "8001", "CH"),
    ("Amsterdam", "1012", "NL"),
    ("Utrecht", "3511", "NL"),
    ("Paris", "75001", "FR"),
    ("Lyon", "69001", "FR"),
    ("Milano", "20121", "IT"),
)
MAIL_HOSTS = ("example.com", "example.org", "example.net", "mail.example.com", "post.example.org")
CATEGORIES = (
    ("Coffee", ("Espresso beans 1 kg", "Filter coffee 500 g", "Decaf 500 g", "Capsules 50", "Cold brew 6 × 250 ml"), 1400),
    ("Tea", ("Green tea 200 g", "Earl Grey 200 g", "Chai 200 g", "Rooibos 250 g", "Mint 100 g"), 900),
    ("Kitchen", ("Chef's knife", "Cast-iron pan", "Cutting board", "Kitchen scale", "Mixing bowl set"), 3900),
    ("Brewing", ("French press", "Hand grinder", "Pour-over set", "Kettle", "Milk frother"), 3200),
    ("Pantry", ("Olive oil 1 l", "Dark chocolate 10 × 100 g", "Granola 1 kg", "Honey 500 g", "Sea salt 1 kg"), 1100),
    ("Tableware", ("Espresso cups 6", "Mug", "Dinner plates 6", "Carafe", "Linen napkins 4"), 2400),
)
BRANDS = ("Morgenrot", "Hafen & Söhne", "Casa Bruna")
PRODUCTS = len(CATEGORIES) * 5 * 2


def newcomers(company: Company, first: int, created: Array, cause: Array, visitor: Array) -> Array:
    """Create customers with their hidden habits; customer numbers count from ``first``."""
    seed, n = company.seed, len(created)
    random = stream(seed, "newcomers", first)
    people = np.zeros(n, CUSTOMER)
    people["created"], people["cause"], people["visitor"] = created, cause, visitor
    people["regular"] = random.random(n) < REGULARS
    middle, spread = np.where(people["regular"], *(np.array(RATE[kind])[:, None] for kind in (True, False)))
    people["rate"] = middle * np.exp(spread * random.normal(size=n))
    people["death"] = created + (random.exponential(LIFETIME_DAYS, n) * DAY).astype(np.int64)
    people["spending"] = np.exp(np.where(people["regular"], 0.5, 0.0) + 0.25 * random.normal(size=n))
    people["segment"] = random.choice(len(SEGMENTS), n, p=(0.78, 0.13, 0.09))
    people["consent"] = random.random((n, len(PURPOSES))) < CONSENT_AT_SIGNUP
    return people


def founders(company: Company) -> Array:
    """Create the customers whom the company had before its history begins."""
    n = round(company.customers * CARRIED_OVER)
    random = stream(company.seed, "founders", 0)
    begins = company.second(0)
    created = np.sort(begins - 1 - (random.random(n) * 540 * DAY).astype(np.int64))
    people = newcomers(company, 1, created, np.full(n, BASELINE), np.arange(1, n + 1))
    left = (random.random(n) * (begins - created)).astype(np.int64) + created
    stays = begins + (random.exponential(LIFETIME_DAYS, n) * DAY).astype(np.int64)
    people["death"] = np.where(random.random(n) < ALIVE_AT_START, stays, left)
    return people


def assortment(company: Company) -> Array:
    """Create the products the shop sells at the beginning."""
    number = np.arange(1, PRODUCTS + 1)
    base = np.array([CATEGORIES[category(int(n))][2] for n in number])
    products = np.zeros(PRODUCTS, PRODUCT)
    factor = 0.6 + pick(company.seed, "price", number, 100) / 100
    products["cents"] = np.round(base * factor / 10).astype(np.int64) * 10 - 1
    products["list_cents"] = products["cents"]
    products["created"], products["active"] = company.second(0), True
    return products


def begin(company: Company) -> State:
    """Give the company at the first moment of its history."""
    state = State(customers=founders(company), products=assortment(company))
    state.next_visitor = len(state.customers) + 1
    return state


def category(number: int) -> int:
    """Give a product's category."""
    return (number - 1) % len(CATEGORIES)


def customer_id(index: int) -> str:
    """Name a customer by position."""
    return f"C{index + 1:07d}"


def product_id(index: int) -> str:
    """Name a product by position."""
    return f"P{index + 1:04d}"


def order_id(number: int) -> str:
    """Name an order by number."""
    return f"O{number:09d}"


def money(cents: int) -> str:
    """Write cents as a decimal."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def contact(company: Company, index: int, email: int, address: int) -> Row:
    """Give name and addresses of a customer, at given counts of moves and changes of e-mail."""
    number = index + 1
    name = scatter(company.seed, "name", [number, number + 1_000_000_007])
    first, last = FIRST_NAMES[int(name[0] % len(FIRST_NAMES))], LAST_NAMES[int(name[1] % len(LAST_NAMES))]
    host = MAIL_HOSTS[int(pick(company.seed, "host", [number * 50 + email], len(MAIL_HOSTS))[0])]
    local = "".join(c for c in f"{first}.{last}".lower() if c.isascii() and (c.isalpha() or c == "."))
    return {
        "first_name": first,
        "last_name": last,
        "email": f"{local}.{number}{f'.{email}' if email else ''}@{host}",
        "phone": f"+49 30 {int(name[0] >> np.uint64(20)) % 10_000_000:07d}",
        **place(company, index, address),
    }


def place(company: Company, index: int, address: int) -> Row:
    """Give where a customer lives after so many moves."""
    drawn = int(scatter(company.seed, "place", [(index + 1) * 50 + address])[0])
    city, postcode, country = CITIES[drawn % len(CITIES)]
    street = f"{STREETS[(drawn >> 8) % len(STREETS)]} {1 + (drawn >> 16) % 120}"
    return {"street": street, "postcode": postcode, "city": city, "country": country}


def product(index: int) -> Row:
    """Give the visible traits of a product, without its price."""
    number = index + 1
    name, kinds, _ = CATEGORIES[category(number)]
    brand = BRANDS[(index // (len(CATEGORIES) * 5)) % len(BRANDS)]
    return {
        "product_id": product_id(index),
        "name": f"{kinds[(index // len(CATEGORIES)) % len(kinds)]} ({brand})",
        "category": name,
        "brand": brand,
    }
